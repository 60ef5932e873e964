"""Have the link for the first administrator logged, as soon as there is a Synapse to ask."""

from pathlib import Path

from appliance.jobs.contract import Finding, Job, Programs
from appliance.jobs.on_demand import run_to_end
from appliance.paths import ADMIN_INVITATION_WANTED

PROGRAM = "invitation"
_INTERVAL_SECONDS = 20
_TIMEOUT_SECONDS = 120


async def invite(programs: Programs) -> Finding:
    """Start the program while it is wanted."""
    del programs
    if Path(ADMIN_INVITATION_WANTED).exists():
        await run_to_end(PROGRAM, _TIMEOUT_SECONDS)
    if Path(ADMIN_INVITATION_WANTED).exists():
        detail = f"not made yet: see `appliance logs {PROGRAM}`"
        return Finding(ok=False, detail=detail, told=True)
    return Finding(ok=True, detail="logged")


JOB = Job("admin-invitation", _INTERVAL_SECONDS, invite, needs_file=ADMIN_INVITATION_WANTED)
