"""Have the records looked at: by the clock, and at once when the public address is another.

Only the program may read the token; the agent starts it and reads what it left.
"""

import time
from dataclasses import dataclass

from appliance import public_address
from appliance.dns.state import State
from appliance.endpoint import Address
from appliance.jobs.contract import Finding, Job, Programs
from appliance.jobs.on_demand import run_to_end

PROGRAM = "dns"
_LOOK_SECONDS = 5
_INTERVAL_SECONDS = 600
# After a failure: what an owner mends now is seen soon, and nobody is asked without end.
_AFTER_FAILURE_SECONDS = (15, 60, 300, 900)
_TIMEOUT_SECONDS = 120


@dataclass
class Keeper:
    """What the job remembers between two looks."""

    _addresses: tuple[Address, ...] = ()
    _due: float = 0
    _failures: int = 0
    _finding: Finding | None = None

    async def keep(self, programs: Programs) -> Finding:
        """Have the records looked at if it is time to."""
        del programs
        found = public_address.find()
        addresses = found.addresses if found else ()
        if self._finding and addresses == self._addresses and time.monotonic() < self._due:
            return self._finding
        self._addresses = addresses
        state = await _run()
        self._failures = self._failures + 1 if state.failure else 0
        self._due = time.monotonic() + _wait(state, self._failures)
        self._finding = Finding(ok=state.well, detail=state.summarize())
        return self._finding


async def _run() -> State:
    """Start the program, wait for its end, and return what it left."""
    before = State.read()
    await run_to_end(PROGRAM, _TIMEOUT_SECONDS)
    state = State.read()
    if state is None or state == before:
        return State(time.time(), failure=f"did not end well; see `appliance logs {PROGRAM}`")
    return state


def _wait(state: State, failures: int) -> float:
    if not failures:
        return _INTERVAL_SECONDS
    seconds = _AFTER_FAILURE_SECONDS[min(failures, len(_AFTER_FAILURE_SECONDS)) - 1]
    return max(seconds, state.retry_after_seconds or 0)


JOB = Job(PROGRAM, _LOOK_SECONDS, Keeper().keep, needs_program=PROGRAM)
