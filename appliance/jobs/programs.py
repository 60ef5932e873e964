"""Watch for programs that gave up: an essential one ends the container, any other is told here."""

import asyncio

from appliance.jobs.contract import Finding, Job, Programs
from appliance.supervisor_client import ProgramState, SupervisorClient


async def find_gave_up(programs: Programs) -> Finding:
    """Ask supervisor for every program that should be running and is not."""
    states = await asyncio.to_thread(SupervisorClient().programs)
    gave_up = sorted(state.name for state in states if _gave_up(state, programs))
    if gave_up:
        return Finding(
            ok=False, detail=f"gave up: {', '.join(gave_up)}; see `appliance logs {gave_up[0]}`"
        )
    return Finding(ok=True, detail=f"{len(states)} programs as they should be")


def _gave_up(state: ProgramState, programs: Programs) -> bool:
    if state.state == "exited":
        return bool(programs[state.name]["once"]) and state.exit_status != 0
    return state.state in ("fatal", "unknown")


JOB = Job("programs", 10, find_gave_up)
