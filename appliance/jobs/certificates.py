"""Have the certificates looked at: renewed when due, read again when their files changed.

The work needs root, so it is a program of its own that supervisor starts; the agent only asks.
"""

import asyncio
import time

from appliance.certificates import Publication
from appliance.jobs.contract import Finding, Job, Programs
from appliance.supervisor_client import ProgramState, SupervisorClient

PROGRAM = "certificates"
# An authority and a DNS provider that are both slow take minutes.
_TIMEOUT_SECONDS = 1200


async def have_certificates_looked_at(programs: Programs) -> Finding:
    """Start the program, wait for its end, and tell what it left behind."""
    del programs
    client = SupervisorClient()
    await asyncio.to_thread(client.start, PROGRAM)
    async with asyncio.timeout(_TIMEOUT_SECONDS):
        while (program := await asyncio.to_thread(_look_up, client)).state != "exited":
            await asyncio.sleep(0.2)
    state = Publication().read_state()
    if program.exit_status or state is None:
        return Finding(ok=False, detail=f"not as they should be; see `appliance logs {PROGRAM}`")
    now = time.time()
    return Finding(ok=not any(state.describe(now)), detail=state.summarize(now))


def _look_up(client: SupervisorClient) -> ProgramState:
    return next(program for program in client.programs() if program.name == PROGRAM)


JOB = Job(PROGRAM, 60, have_certificates_looked_at, needs_program=PROGRAM)
