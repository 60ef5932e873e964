from dataclasses import replace
from pathlib import Path

import pytest

from appliance.parts import enabled, external_postgres, postgres
from appliance.parts.external_postgres import PART

from .deployments import deployment

URL = {"MATRIX_POSTGRES_URL": "synapse=postgresql://chat:p@db.lan/chat"}


def test_one_or_the_other() -> None:
    for environment, part in (({}, postgres.PART), (URL, PART)):
        of = deployment(environment)
        found = enabled(of.settings, of.machine)
        assert [one for one in found if one.name == "postgres"] == [part]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(external_postgres, "DATA", tmp_path)
    monkeypatch.setattr(postgres, "DATA", tmp_path)
    monkeypatch.setattr(postgres, "EXTERNAL", tmp_path / "external")
    return tmp_path


def test_a_database_in_the_volume_is_not_left_behind(data: Path) -> None:
    assert [*PART.problems(deployment(URL))] == []
    (data / "17").mkdir()
    (data / "17/PG_VERSION").write_text("17\n")
    (problem,) = PART.problems(deployment(URL))
    assert "this volume holds data in" in str(problem)
    (data / "17").rename(data / "17-before")
    assert [*PART.problems(deployment(URL))] == []


def test_a_database_elsewhere_is_not_left_behind(data: Path) -> None:
    assert [*postgres.PART.problems(deployment())] == []
    (data / "external").write_text("db.lan:5432, database chat\n")
    (problem,) = postgres.PART.problems(deployment())
    assert problem.subject == "MATRIX_POSTGRES_URL"
    assert "are in db.lan:5432, database chat: give it again" in problem.message


def test_every_service_needs_a_url(data: Path) -> None:
    of = replace(deployment(URL), databases=("synapse", "whatsapp"))
    (problem,) = PART.problems(of)
    assert "names no URL for whatsapp" in problem.message


def test_roots_that_are_none(data: Path) -> None:
    (problem,) = PART.problems(deployment({**URL, "MATRIX_POSTGRES_CA_BUNDLE": "/nowhere.pem"}))
    assert "cannot read /nowhere.pem" in str(problem)
