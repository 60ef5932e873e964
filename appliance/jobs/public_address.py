"""Follow the address of this machine for the world, and keep it for whoever needs it.

Asks by the owner's interval, at once when the default route changed, and sooner after a failure.
"""

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from appliance import public_address
from appliance.endpoint import Address, Endpoint
from appliance.files import write_atomically
from appliance.jobs.contract import Finding, Job, Programs
from appliance.paths import (
    PUBLIC_ADDRESS,
    PUBLIC_ADDRESS_REMEMBERED,
    PUBLIC_ADDRESS_SOURCE,
)
from appliance.public_address import Known, PublicAddresses
from appliance.public_address.discovery import ROUTE, Found, Network, discover

_LOOK_SECONDS = 10
_AFTER_FAILURE_SECONDS = 60
_VERSIONS = (4, 6)


@dataclass
class Follower:
    """What the job remembers between two looks."""

    source: Path = Path(PUBLIC_ADDRESS_SOURCE)
    found: Path = Path(PUBLIC_ADDRESS)
    remembered: Path = Path(PUBLIC_ADDRESS_REMEMBERED)
    network: Network = field(default_factory=Network)
    _own: tuple[Address | None, ...] = ()
    _due: float = 0
    _finding: Finding = field(default_factory=lambda: Finding(ok=True, detail="not asked yet"))

    async def follow(self, programs: Programs) -> Finding:
        """Ask if it is time to."""
        del programs
        own = tuple(self.network.find_own_address(version) for version in _VERSIONS)
        if own == self._own and time.monotonic() < self._due:
            return self._finding
        values = json.loads(self.source.read_text())
        servers = [Endpoint(*one) for one in values["servers"]]
        found = [
            *await asyncio.gather(
                *(discover(version, servers, time.time(), self.network) for version in _VERSIONS)
            )
        ]
        failed = any(one.failed for one in found)
        wait = min(_AFTER_FAILURE_SECONDS, values["interval_seconds"])
        self._due = time.monotonic() + (wait if failed else values["interval_seconds"])
        self._own = own
        self._finding = self._keep(found)
        return self._finding

    def _keep(self, found: Sequence[Found]) -> Finding:
        """Write down what was found; what nobody could tell is as it was before."""
        before = public_address.read(str(self.found)) or public_address.read(str(self.remembered))
        earlier = before or PublicAddresses()
        chosen = [
            _choose(one, was) for one, was in zip(found, (earlier.ipv4, earlier.ipv6), strict=True)
        ]
        now = PublicAddresses.of(
            (one.known for one in chosen if one.known),
            (warning for one in chosen for warning in one.warnings),
        )
        write_atomically(self.found, now.to_json(), mode=0o644, owner=-1, group=-1)
        if before is None or before.addresses != now.addresses or not self.remembered.exists():
            write_atomically(
                self.remembered, now.to_json(), mode=0o644, owner=-1, group=-1, durable=True
            )
        return _describe(now, nothing_said=any(one.failed for one in found))


def _choose(found: Found, earlier: Known | None) -> Found:
    """Return what holds now: without a witness what one said earlier, else what is likely."""
    if not found.failed:
        return found
    if earlier and earlier.source != ROUTE:
        warnings = [f"{one}; {earlier.address} is kept" for one in found.warnings]
        return replace(found, known=earlier, warnings=tuple(warnings))
    return replace(found, warnings=()) if found.known else replace(found, known=earlier)


def _describe(now: PublicAddresses, *, nothing_said: bool) -> Finding:
    nothing = "not known" if nothing_said else "none: this machine has no way out"
    said = ", ".join(map(str, now.known)) or nothing
    return Finding(ok=not now.warnings, detail="; ".join((said, *now.warnings)))


JOB = Job("public-address", _LOOK_SECONDS, Follower().follow, needs_file=PUBLIC_ADDRESS_SOURCE)
