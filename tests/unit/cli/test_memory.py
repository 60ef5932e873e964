import os
from pathlib import Path

from appliance.cli.memory import Process, measure_memory, read_processes

KIB = 1024


def write_status(proc: Path, pid: int, text: str) -> None:
    directory = proc / str(pid)
    directory.mkdir(parents=True)
    (directory / "status").write_text(text)


def test_processes_are_read(tmp_path: Path) -> None:
    write_status(tmp_path, 12, "Name:\tpostgres\nPPid:\t1\nVmRSS:\t 300 kB\nRssAnon:\t 50 kB\n")
    write_status(tmp_path, 13, "Name:\tkthread: x\nPPid:\t2\n")
    (tmp_path / "self").mkdir()
    assert read_processes(tmp_path) == {
        12: Process(1, 300 * KIB, 50 * KIB),
        13: Process(2, 0, 0),
    }


def test_children_count_with_what_is_theirs_alone() -> None:
    processes = {
        10: Process(1, 100, 40),
        11: Process(10, 90, 7),
        12: Process(11, 80, 3),
        20: Process(1, 999, 999),
    }
    assert measure_memory(10, processes) == 110


def test_a_process_that_ended_holds_nothing() -> None:
    assert measure_memory(10, {}) == 0


def test_this_very_process_is_there() -> None:
    me = read_processes()[os.getpid()]
    assert me.parent == os.getppid()
    assert 0 < me.private <= me.resident
