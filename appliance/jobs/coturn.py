"""Have the relay start again when an address of this machine has changed.

coturn reads its addresses at its start alone, and a start ends every relayed call: so between
calls, or when they have had time to end.
"""

import asyncio
import logging
import pwd
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from appliance.jobs.contract import Finding, Job, Programs
from appliance.paths import TURN_ADDRESSES, TURN_OPTIONS
from appliance.supervisor_client import SupervisorClient
from appliance.turn.addresses import Relay, describe
from appliance.turn.options import Options, find_addresses, read_options, read_relays

PROGRAM = "coturn"
_USER = "turnserver"
# Source: proc_net_udp (Linux kernel documentation).
_LOCAL_ADDRESS, _OWNER = 1, 7

_log = logging.getLogger("agent")


def count_ports(options: Options, proc: Path = Path("/proc/net"), user: str = _USER) -> int:
    """Return how many of its ports the relay holds for callers now."""
    ports = range(options.first_port, options.last_port + 1)
    owner = str(pwd.getpwnam(user).pw_uid)
    tables = (proc / "udp", proc / "udp6")
    return sum(port in ports for table in tables for port in _ports_of(owner, table))


def _ports_of(owner: str, table: Path) -> Iterator[int]:
    if table.exists():
        for line in table.read_text().splitlines()[1:]:
            columns = line.split()
            if columns[_OWNER] == owner:
                yield int(columns[_LOCAL_ADDRESS].rpartition(":")[2], 16)


@dataclass
class Follower:
    """What the job remembers between two looks."""

    options: Path = Path(TURN_OPTIONS)
    relays: Path = Path(TURN_ADDRESSES)
    restart: Callable[[], None] = lambda: SupervisorClient().restart(PROGRAM)
    count: Callable[[Options], int] = count_ports
    clock: Callable[[], float] = time.monotonic
    _wanted: tuple[Relay, ...] = ()
    _since: float = 0.0

    async def follow(self, programs: Programs) -> Finding:
        """Look whether the relay still relays where a start now would."""
        del programs
        options, running = read_options(self.options), read_relays(self.relays)
        wanted = find_addresses(options).relays
        if running is None:
            return Finding(ok=True, detail="starts")
        if wanted == running or not wanted:
            self._wanted = ()
            return Finding(ok=True, detail=f"relays at {describe(running)}")
        what = f"the address changed from {describe(running)} to {describe(wanted)}"
        if wanted != self._wanted:  # at the next look, if it is still so then
            self._wanted, self._since = wanted, self.clock()
            _log.info("relay: %s", what)
            return Finding(ok=True, detail=what)
        held = self.count(options)
        waited = self.clock() - self._since
        if held and waited < options.patience_seconds:
            left = options.patience_seconds - waited
            return Finding(
                ok=True,
                detail=f"{what}; waits at most {left:.0f} s for calls (ports in use: {held})",
            )
        calls = f", which ends calls (ports in use: {held})" if held else ""
        _log.info("relay: starts again at %s%s", describe(wanted), calls)
        await asyncio.to_thread(self.restart)
        self._wanted = ()
        return Finding(ok=True, detail=f"started again at {describe(wanted)}")


JOB = Job("relay", 10, Follower().follow, needs_program=PROGRAM)
