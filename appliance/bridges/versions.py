"""The newest version of a bridge that its data has seen: a bridge's database only goes forward."""

import re
from pathlib import Path

from appliance.bridges.catalogue import Bridge
from appliance.machine import Machine

SEEN = Path("/data/bridges")


def find_newer(bridge: Bridge, machine: Machine, seen: Path = SEEN) -> str | None:
    """Return the version that the data has seen, if that is newer than the image's."""
    file = seen / bridge.name
    version = machine.component(bridge.component).version
    if version is None or not file.exists():
        return None
    before = file.read_text().strip()
    return before if _parse(before) > _parse(version) else None


def remember(bridge: Bridge, machine: Machine, seen: Path = SEEN) -> str:
    """Return what the bridge's file in the data is to say: the newest version it has seen."""
    version = find_newer(bridge, machine, seen) or machine.component(bridge.component).version
    return f"{version}\n"


def explain(bridge: Bridge, machine: Machine, newer: str) -> str:
    """Return what to do about a bridge that is older than its data."""
    return (
        f"{bridge.name} is left off: its data was written by {newer}, and this image has "
        f"{machine.component(bridge.component).version}, which could not read it. Start an image "
        f"with {newer} or newer; what was sent meanwhile is kept for it"
    )


def _parse(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)))
