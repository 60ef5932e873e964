"""Jobs of the agent: one module each with a `JOB`, found by itself."""

import importlib
import pkgutil

from appliance.jobs.contract import Job


def every() -> tuple[Job, ...]:
    """Return all jobs, by name."""
    modules = (
        importlib.import_module(f"{__name__}.{module.name}")
        for module in pkgutil.iter_modules(__path__)
    )
    return tuple(module.JOB for module in modules if hasattr(module, "JOB"))
