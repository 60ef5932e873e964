from pathlib import Path

from appliance import credentials
from appliance.credentials import Credential

WANTED = (Credential("one"), Credential("identity", lambda: "key", irreplaceable=True))


def test_secrets_are_made_once_and_readable_by_root_alone(tmp_path: Path) -> None:
    directory = tmp_path / "credentials"
    made = credentials.load_or_create(WANTED, directory)
    assert len(made["one"]) == 64
    assert made["identity"] == "key"
    assert dict(credentials.load_or_create(WANTED, directory)) == dict(made)
    assert directory.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in directory.iterdir()} == {0o600}


def test_printing_shows_no_secret(tmp_path: Path) -> None:
    made = credentials.load_or_create(WANTED, tmp_path)
    assert made["one"] not in f"{made} {made!r}"


def test_looking_makes_nothing(tmp_path: Path) -> None:
    assert credentials.load(WANTED, tmp_path)["one"] == "(made at the first boot)"
    assert list(tmp_path.iterdir()) == []


def test_a_lost_identity_is_a_problem_only_after_the_first_boot(tmp_path: Path) -> None:
    def subjects(first_boot: bool) -> list[str]:
        found = credentials.problems(WANTED, first_boot=first_boot, directory=tmp_path)
        return [problem.subject for problem in found]

    assert subjects(first_boot=True) == []
    assert subjects(first_boot=False) == [str(tmp_path / "identity")]


def test_an_empty_secret_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("\n")
    [problem] = credentials.problems(WANTED, first_boot=True, directory=tmp_path)
    assert "is empty" in problem.message
