"""Which bridges a deployment has, and why it lacks those it wants. Pure."""

from appliance.bridges.catalogue import DEFAULT, Bridge, find
from appliance.machine import Machine
from appliance.settings import Settings, variable_name


def wanted(settings: Settings) -> tuple[Bridge, ...]:
    """Return the bridges that were asked for; none given, those of a real deployment."""
    names = settings.bridges
    if names is None:
        names = () if settings.trial else DEFAULT
    return tuple(map(find, names))


def enabled(settings: Settings, machine: Machine) -> tuple[Bridge, ...]:
    """Return the bridges that are there: of those on by default only what can be had."""
    by_name = settings.bridges is not None
    return tuple(
        bridge for bridge in wanted(settings) if by_name or not find_gap(bridge, settings, machine)
    )


def left_out(settings: Settings, machine: Machine) -> dict[Bridge, str]:
    """Return the bridges that are on by default and cannot be had, each with the reason."""
    if settings.bridges is not None:
        return {}
    gaps = {bridge: find_gap(bridge, settings, machine) for bridge in wanted(settings)}
    return {bridge: gap for bridge, gap in gaps.items() if gap}


def find_gap(bridge: Bridge, settings: Settings, machine: Machine) -> str:
    """Return why a bridge cannot be had and what to do about it, nothing if it can."""
    component = machine.component(bridge.component)
    if not component.present:
        return (
            f"this image holds no {bridge.component} ({component.reason}): build it with `./inv "
            f"build --bridges {bridge.name}` where its source can be reached, or put the program "
            "under artifacts/ and build again"
        )
    missing = [variable_name(field) for _, field in bridge.network if not _has(settings, field)]
    return f"it needs {' and '.join(missing)}, {bridge.how}" if missing else ""


def _has(settings: Settings, field: str) -> bool:
    return getattr(settings, field) not in (None, ())
