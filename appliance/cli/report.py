"""How the running server is: parts, what the image lacks, what the agent found. Only collects."""

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from appliance import __version__, credentials, entrypoint, machine, parts, settings
from appliance.bridges import selection
from appliance.cli.memory import Process, measure_memory, read_processes
from appliance.cli.running import read_environment
from appliance.entrypoint import Plan
from appliance.machine import Component
from appliance.parts.contract import Deployment, Part, Program
from appliance.paths import AGENT_STATE
from appliance.supervisor_client import ProgramState, SupervisorClient

_AGENT_SILENT_SECONDS = 300
# Supervisor calls a program starting for its first seconds, however well it answers.
_GOOD_STATES = ("running", "starting", "ready")


@dataclass(frozen=True)
class PartStatus:
    """One part: what supervisor says of its programs, and what it answered itself."""

    name: str
    essential: bool
    state: str
    uptime_seconds: int | None
    memory_bytes: int | None
    healthy: bool
    detail: str


@dataclass(frozen=True)
class Report:
    """All that `appliance status` shows."""

    version: str
    server_name: str
    web_client: str
    client_api: str
    parts: tuple[PartStatus, ...]
    components: tuple[Component, ...]
    left_out: tuple[str, ...]
    """Bridges that are on by default and not there, each with the reason."""
    problems: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def healthy(self) -> bool:
        """Whether every essential part is."""
        return all(part.healthy for part in self.parts if part.essential)


def collect() -> Report:
    """Ask supervisor, every part and the agent. Raise NotRunningError if nothing runs here."""
    environment = read_environment()
    states = {state.name: state for state in SupervisorClient().programs()}
    plan = draw_running(environment)
    processes = read_processes()
    asked = settings.load(environment)
    left_out = selection.left_out(asked, plan.deployment.machine)
    return Report(
        version=__version__,
        server_name=asked.server_name,
        web_client=asked.chat_url,
        client_api=asked.base_url,
        parts=tuple(_describe(part, plan, states, processes) for part in plan.parts),
        components=tuple(
            component
            for component in plan.deployment.machine.components
            if component.status in ("older", "missing")
        ),
        left_out=tuple(f"{bridge.name}: {reason}" for bridge, reason in left_out.items()),
        problems=tuple(find_problems(Path(AGENT_STATE), time.time())),
        warnings=tuple(map(str, asked.warnings())),
    )


def draw_running(environment: Mapping[str, str] | None = None) -> Plan:
    """Return the running deployment, without judging it again. Raise NotRunningError."""
    environment = read_environment() if environment is None else environment
    asked, this_machine = settings.load(environment), machine.measure()
    wanted = parts.credentials(asked, parts.enabled(asked, this_machine))
    return entrypoint.draw(Deployment(asked, credentials.load(wanted), this_machine), environment)


def _describe(
    part: Part,
    plan: Plan,
    states: Mapping[str, ProgramState],
    processes: Mapping[int, Process],
) -> PartStatus:
    programs = [program for owner, program in plan.programs if owner is part]
    answer = part.check(plan.deployment)
    own = [states[program.name] for program in programs if program.name in states]
    state = summarize_state(programs, states)
    memory = [measure_memory(program.pid, processes) for program in own if program.pid]
    uptimes = [program.uptime_seconds for program in own if program.pid]
    return PartStatus(
        name=part.name,
        essential=part.essential,
        state=state,
        uptime_seconds=min(uptimes, default=None),
        memory_bytes=sum(memory) if memory else None,
        healthy=answer.healthy and state in _GOOD_STATES,
        detail=answer.detail,
    )


def summarize_state(programs: Iterable[Program], states: Mapping[str, ProgramState]) -> str:
    """Return one word for the programs of a part: the worst of them decides."""
    summary = "ready"  # with nothing that stays
    for program in programs:
        state = states.get(program.name)
        if state is None:
            return f"{program.name} is unknown to supervisor"
        if program.once or program.on_demand:
            if state.state == "exited" and state.exit_status:
                return f"{program.name} failed"
        elif state.state not in _GOOD_STATES:
            return state.state
        elif summary != "starting":
            summary = state.state
    return summary


def find_problems(file: Path, now: float) -> Iterable[str]:
    """Yield what the agent found wrong, or that it is silent."""
    try:
        jobs = json.loads(file.read_text())["jobs"]
    except FileNotFoundError:
        yield "agent: has not said anything yet"
        return
    for name, found in sorted(jobs.items()):
        if not found["ok"]:
            yield f"{name}: {found['detail']}"
    newest = max((found["time"] for found in jobs.values()), default=0)
    if jobs and now - newest > _AGENT_SILENT_SECONDS:
        yield f"agent: has said nothing for {int(now - newest) // 60} min"
