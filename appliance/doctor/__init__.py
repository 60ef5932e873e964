"""Checks of `appliance doctor`: one module each with a `CHECK`, found by itself."""

import importlib
import pkgutil
from collections.abc import Iterator

from appliance.doctor.contract import Check


def every() -> tuple[Check, ...]:
    """Return all checks, by subject and then in the order in which they explain each other."""
    modules = (
        importlib.import_module(f"{__name__}.{module.name}")
        for module in pkgutil.iter_modules(__path__)
    )
    checks = (module.CHECK for module in modules if hasattr(module, "CHECK"))
    return tuple(sorted(checks, key=lambda check: (check.subject, check.order, check.name)))


def of(subject: str | None) -> Iterator[Check]:
    """Yield the checks of a subject, all of them without one."""
    return (check for check in every() if subject in (None, check.subject))
