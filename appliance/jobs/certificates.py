"""Have the certificates looked at: renewed when due, read again when their files changed.

The work needs root, so it is a program of its own that supervisor starts; the agent only asks.
"""

import time

from appliance.certificates import Publication, State
from appliance.jobs.contract import Finding, Job, Programs
from appliance.jobs.on_demand import run_to_end

PROGRAM = "certificates"
INTERVAL_SECONDS = 60
_JUST_NOW_SECONDS = 30
# More than two runs of certbot take when every wait is at its longest.
_TIMEOUT_SECONDS = 5 * 3600


async def have_certificates_looked_at(programs: Programs) -> Finding:
    """Start the program, wait for its end, and tell what it left behind."""
    del programs
    publication = Publication()
    state, now = publication.read_state(), time.time()
    if state and state.settled(now) and now - publication.written_at < _JUST_NOW_SECONDS:
        # The boot has just looked at everything, and the servers that start need the processor.
        return _find(state, now)
    program = await run_to_end(PROGRAM, _TIMEOUT_SECONDS)
    state = publication.read_state()
    if program.exit_status or state is None:
        return Finding(ok=False, detail=f"not as they should be; see `appliance logs {PROGRAM}`")
    return _find(state, time.time())


def _find(state: State, now: float) -> Finding:
    told = bool(state.problem)
    return Finding(ok=not any(state.describe(now)), detail=state.summarize(now), told=told)


JOB = Job(PROGRAM, INTERVAL_SECONDS, have_certificates_looked_at, needs_program=PROGRAM)
