"""The parts of the appliance: every module here that has a `PART`, or several, found by itself."""

import importlib
import pkgutil
from collections.abc import Iterable
from functools import cache

from appliance import databases as all_databases
from appliance.credentials import Credential
from appliance.machine import Machine
from appliance.parts.contract import Part
from appliance.settings import Settings


@cache
def every() -> tuple[Part, ...]:
    """Return all parts, in the order of their start."""
    parts: list[Part] = []
    for found in pkgutil.iter_modules(__path__):
        module = importlib.import_module(f"{__name__}.{found.name}")
        parts += [module.PART] if hasattr(module, "PART") else getattr(module, "PARTS", ())
    return tuple(sorted(parts, key=lambda part: (part.order, part.name)))


def enabled(settings: Settings, machine: Machine) -> tuple[Part, ...]:
    """Return the parts that this deployment has."""
    return tuple(part for part in every() if part.enabled(settings, machine))


def databases(enabled: Iterable[Part]) -> tuple[str, ...]:
    """Return the databases that these parts need."""
    return tuple(database for part in enabled for database in part.databases)


def credentials(settings: Settings, enabled: Iterable[Part]) -> list[Credential]:
    """Return the secrets that are made for these parts."""
    parts = tuple(enabled)
    own = [credential for part in parts for credential in part.credentials]
    return [*own, *all_databases.credentials_for(settings, databases(parts))]
