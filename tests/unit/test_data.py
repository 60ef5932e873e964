import json
import os
from pathlib import Path

from appliance import data, settings

TRIAL = settings.load({})
LAN = settings.load({"MATRIX_DOMAIN": "home.lan", "MATRIX_TLS_MODE": "off"})


def test_the_first_boot_claims_the_data(tmp_path: Path) -> None:
    assert data.read_identity(tmp_path) is None
    data.claim(TRIAL, tmp_path)
    identity = data.read_identity(tmp_path)
    assert identity is not None
    assert identity.server_name == "matrix.localhost"
    assert list(data.problems(TRIAL, data=tmp_path)) == []


def test_another_server_name_is_refused(tmp_path: Path) -> None:
    data.claim(TRIAL, tmp_path)
    [problem] = data.problems(LAN, data=tmp_path)
    assert problem.subject == "MATRIX_SERVER_NAME"
    assert "belongs to matrix.localhost" in problem.message


def test_newer_data_is_refused(tmp_path: Path) -> None:
    newer = {"server_name": "matrix.localhost", "layout": data.LAYOUT + 1, "image": "9.0"}
    (tmp_path / "appliance.json").write_text(json.dumps(newer))
    [problem] = data.problems(TRIAL, data=tmp_path)
    assert "newer image 9.0" in problem.message


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "appliance.json").write_text("{")
    [problem] = data.problems(TRIAL, data=tmp_path)
    assert "is damaged" in problem.message


def test_no_volume_is_told(tmp_path: Path) -> None:
    [problem] = data.problems(TRIAL, data=tmp_path / "nowhere")
    assert "mount a volume" in problem.message


def test_data_that_another_holds_is_refused(tmp_path: Path) -> None:
    ours, theirs = (os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY) for _ in range(2))
    assert list(data.problems(TRIAL, theirs, tmp_path)) == []
    [problem] = data.problems(TRIAL, ours, tmp_path)
    assert "in use by another container" in problem.message
    os.close(theirs)
    assert list(data.problems(TRIAL, ours, tmp_path)) == []
    os.close(ours)
