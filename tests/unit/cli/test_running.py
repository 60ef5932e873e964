import json
from pathlib import Path

import pytest

from appliance.cli.running import choose_environment, read_environment
from appliance.errors import NotRunningError


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    file = tmp_path / "settings.json"
    file.write_text(json.dumps({"environment": {"MATRIX_DOMAIN": "kept.example"}}))
    return file


def test_the_running_servers_variables(kept: Path) -> None:
    assert read_environment(kept) == {"MATRIX_DOMAIN": "kept.example"}


def test_nothing_runs(tmp_path: Path) -> None:
    with pytest.raises(NotRunningError, match="not running"):
        read_environment(tmp_path / "settings.json")


def test_the_shells_own_variables_win_whole(kept: Path) -> None:
    shell = {"PATH": "/bin", "MATRIX_BRAND": "Ours"}
    assert choose_environment(shell, kept) == shell


def test_a_shell_without_variables_gets_the_kept_ones(kept: Path) -> None:
    assert choose_environment({"PATH": "/bin"}, kept) == {"MATRIX_DOMAIN": "kept.example"}


def test_without_either_nothing_is_set(tmp_path: Path) -> None:
    assert choose_environment({"PATH": "/bin"}, tmp_path / "settings.json") == {"PATH": "/bin"}
