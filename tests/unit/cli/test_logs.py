from itertools import islice
from pathlib import Path

import pytest

from appliance.cli.logs import LogReader, find_logs, follow_logs
from appliance.errors import NotRunningError, OperationError


def append(path: Path, text: str) -> None:
    with path.open("a") as stream:
        stream.write(text)


def rotate(path: Path) -> None:
    """Do as supervisor does when a log is full."""
    path.rename(path.with_name(path.name + ".1"))
    path.touch()


def test_the_last_lines_reach_back_over_a_rotation(tmp_path: Path) -> None:
    path = tmp_path / "synapse.log"
    append(path, "one\ntwo\n")
    rotate(path)
    append(path, "three\n")
    assert LogReader(path).read_last_lines(2) == ["two", "three"]
    assert LogReader(path).read_last_lines(0) == []


def test_new_lines_are_whole_and_come_once(tmp_path: Path) -> None:
    path = tmp_path / "synapse.log"
    append(path, "old\nhal")
    reader = LogReader(path)
    assert reader.read_last_lines(5) == ["old"]
    append(path, "f\nnext\n")
    assert reader.read_new_lines() == ["half", "next"]
    assert reader.read_new_lines() == []


def test_nothing_is_lost_over_a_rotation(tmp_path: Path) -> None:
    path = tmp_path / "synapse.log"
    append(path, "one\n")
    reader = LogReader(path)
    reader.read_last_lines(5)
    append(path, "two\n")
    rotate(path)
    append(path, "three\n")
    assert reader.read_new_lines() == ["two", "three"]
    append(path, "four\n")
    assert reader.read_new_lines() == ["four"]


def test_followed_lines_carry_their_program(tmp_path: Path) -> None:
    readers = []
    for name in ("nginx", "synapse"):
        path = tmp_path / f"{name}.log"
        path.touch()
        readers.append(LogReader(path))
        append(path, f"from {name}\n")
    assert list(islice(follow_logs(readers), 2)) == [
        ("nginx", "from nginx"),
        ("synapse", "from synapse"),
    ]


def test_which_logs_there_are(tmp_path: Path) -> None:
    for name in ("synapse.log", "synapse.log.1", "nginx.log"):
        (tmp_path / name).touch()
    assert [path.name for path in find_logs(tmp_path, None)] == ["nginx.log", "synapse.log"]
    assert find_logs(tmp_path, "synapse") == [tmp_path / "synapse.log"]
    with pytest.raises(OperationError, match=r"synapes is not a program.*nginx, synapse"):
        find_logs(tmp_path, "synapes")


def test_no_logs_means_no_server(tmp_path: Path) -> None:
    with pytest.raises(NotRunningError):
        find_logs(tmp_path / "logs", None)
