"""Have people who closed their accounts logged out of the bridges, however they closed them.

`appliance user deactivate` does so by itself; this is for who did it in a client, or by Synapse's
API. Who has an account is for root to see, so the agent only asks for the program.
"""

import json
import time
from pathlib import Path

from appliance.jobs.contract import Finding, Job, Programs
from appliance.jobs.on_demand import run_to_end
from appliance.paths import BRIDGE_LOGINS

PROGRAM = "bridge-leavers"
_LOOK_SECONDS = 30
# After the boot too: what starts needs the processor.
_INTERVAL_SECONDS = 300
_TIMEOUT_SECONDS = 120


class Keeper:
    """What the job remembers between two looks."""

    def __init__(self, logins: str = BRIDGE_LOGINS) -> None:
        self._logins = Path(logins)
        self._due = time.monotonic() + _INTERVAL_SECONDS
        self._finding = Finding(ok=True, detail="nobody who left has a log-in")

    def is_due(self, now: float) -> bool:
        """Return whether it is time to look, and there is anything to look for."""
        return now >= self._due and bool(
            self._logins.exists() and json.loads(self._logins.read_text())
        )

    async def look(self, programs: Programs) -> Finding:
        """Have the program run if it is time to."""
        del programs
        if not self.is_due(time.monotonic()):
            return self._finding
        program = await run_to_end(PROGRAM, _TIMEOUT_SECONDS)
        self._due = time.monotonic() + _INTERVAL_SECONDS
        self._finding = Finding(ok=True, detail="nobody who left has a log-in")
        if program.exit_status:
            detail = f"somebody who left is still logged in; see `appliance logs {PROGRAM}`"
            self._finding = Finding(ok=False, detail=detail)
        return self._finding


JOB = Job(PROGRAM, _LOOK_SECONDS, Keeper().look, needs_program=PROGRAM)
