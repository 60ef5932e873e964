"""Programs that do for the agent what needs more rights than it has: supervisor starts them."""

import asyncio

from appliance.supervisor_client import ProgramState, SupervisorClient

_PAUSE_SECONDS = 0.2


async def run_to_end(name: str, within_seconds: float) -> ProgramState:
    """Have a program started and return how it ended. Raise TimeoutError if it does not."""
    client = SupervisorClient()
    await asyncio.to_thread(client.start, name)
    async with asyncio.timeout(within_seconds):
        while (program := await asyncio.to_thread(_find, client, name)).state != "exited":
            await asyncio.sleep(_PAUSE_SECONDS)
    return program


def _find(client: SupervisorClient, name: str) -> ProgramState:
    return next(program for program in client.programs() if program.name == name)
