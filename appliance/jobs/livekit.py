"""Keep LiveKit well: started again when it hangs, or when callers must be told another address.

It is killed for that, which its callers survive (docs/decisions/014-livekit.md); supervisor starts
the next one. Its own word is what counts: a process that runs may do nothing.
"""

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path

from appliance import probe
from appliance.jobs.contract import Finding, Job, Programs
from appliance.launch.livekit import FOLLOW, PID_FILE, find_addresses
from appliance.paths import LIVEKIT_ADDRESSES, LIVEKIT_HEALTH
from appliance.supervisor_client import SupervisorClient

PROGRAM = "livekit"
# Callers look for half a minute for a server that is silent, then give up.
_LOOK_SECONDS = 3
# So often it may be silent: it calls itself ill when it could not count its own load for 4 s.
_PATIENCE = 3
# An address that comes and goes must not end every call with it.
_PAUSE_SECONDS = 60


@dataclass
class Keeper:
    """What the job remembers between two looks."""

    health: Path = Path(LIVEKIT_HEALTH)
    told: Path = Path(LIVEKIT_ADDRESSES)
    begun: Path = PID_FILE
    _silent: int = 0
    _well: bool = True
    _killed: float = -_PAUSE_SECONDS

    async def look(self, programs: Programs) -> Finding:
        """Ask LiveKit how it is, and have it started again if it must be."""
        del programs
        if not self.begun.exists():
            return Finding(ok=True, detail="starts")
        probes = probe.from_json(self.health.read_text())[PROGRAM]
        check = await asyncio.to_thread(probe.ask, probes)
        if check.healthy:
            self._silent, self._well = 0, True
            if (addresses := self._find_others()) and await self._start_again():
                return Finding(ok=True, detail=f"callers are told {addresses} from now on")
            return Finding(ok=True, detail=check.detail)
        self._silent += 1
        if self._silent < _PATIENCE:  # it may only just have been started
            return Finding(ok=self._well, detail=check.detail)
        self._well = False
        started = await self._start_again()
        return Finding(ok=False, detail=f"{check.detail}{'; started again' if started else ''}")

    def _find_others(self) -> str | None:
        """Return what callers should be told now, if that is something else than they are."""
        if not self.told.exists():
            return None
        now = ",".join(find_addresses([FOLLOW]))
        return now if now != self.told.read_text() else None

    async def _start_again(self) -> bool:
        """Kill it, unless it was killed a moment ago or does not run. Return whether it was."""
        if time.monotonic() < self._killed + _PAUSE_SECONDS:
            return False
        client = SupervisorClient()
        programs = await asyncio.to_thread(client.programs)
        if not any(program.name == PROGRAM and program.running for program in programs):
            return False
        self._killed, self._silent = time.monotonic(), 0
        await asyncio.to_thread(client.signal, PROGRAM, "KILL")
        return True


JOB = Job(PROGRAM, _LOOK_SECONDS, Keeper().look, needs_program=PROGRAM)
