import json
from pathlib import Path

import pytest

from appliance.cli.report import find_problems, summarize_state
from appliance.parts.contract import Program
from appliance.supervisor_client import ProgramState

SERVER = Program("nginx", ("nginx",), "nginx")
ONE_SHOT = Program("databases", ("databases",), "postgres", once=True)
ON_DEMAND = Program("reload", ("reload",), "nginx", on_demand=True)


def state(name: str, word: str, exit_status: int = 0) -> ProgramState:
    return ProgramState(name, "appliance", word, 5, 12, exit_status, "")


@pytest.mark.parametrize(
    ("states", "summary"),
    [
        ([state("nginx", "running"), state("databases", "exited")], "running"),
        ([state("nginx", "running"), state("databases", "running")], "running"),
        ([state("nginx", "running"), state("databases", "exited", 1)], "databases failed"),
        ([state("nginx", "starting"), state("databases", "exited")], "starting"),
        ([state("nginx", "backoff"), state("databases", "exited")], "backoff"),
        ([state("nginx", "exited"), state("databases", "exited")], "exited"),
        ([state("nginx", "running")], "databases is unknown to supervisor"),
    ],
)
def test_the_worst_program_decides(states: list[ProgramState], summary: str) -> None:
    assert summarize_state([SERVER, ONE_SHOT], {s.name: s for s in states}) == summary


def test_one_that_is_starting_decides_over_one_that_runs() -> None:
    other = Program("worker", ("worker",), "nginx")
    states = {"nginx": state("nginx", "starting"), "worker": state("worker", "running")}
    assert summarize_state([SERVER, other], states) == "starting"


def test_a_part_with_nothing_that_stays_is_ready() -> None:
    programs = [ONE_SHOT, ON_DEMAND]
    states = {"databases": state("databases", "exited"), "reload": state("reload", "stopped")}
    assert summarize_state(programs, states) == "ready"
    assert summarize_state([], {}) == "ready"


def write_state(path: Path, **jobs: tuple[bool, float]) -> Path:
    file = path / "state.json"
    rows = {
        name: {"ok": ok, "detail": f"about {name}", "time": time}
        for name, (ok, time) in jobs.items()
    }
    file.write_text(json.dumps({"jobs": rows}))
    return file


def test_what_the_agent_found_wrong(tmp_path: Path) -> None:
    file = write_state(tmp_path, programs=(False, 990), address=(True, 990))
    assert list(find_problems(file, 1000)) == ["programs: about programs"]


def test_an_agent_that_is_silent(tmp_path: Path) -> None:
    file = write_state(tmp_path, programs=(True, 400), address=(True, 300))
    assert list(find_problems(file, 1000)) == ["agent: has said nothing for 10 min"]


def test_an_agent_that_never_spoke(tmp_path: Path) -> None:
    assert list(find_problems(tmp_path / "none.json", 1000)) == ["agent: has not said anything yet"]
