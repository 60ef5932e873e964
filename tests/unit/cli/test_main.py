import sys

import pytest

from appliance.cli import commands, main
from appliance.errors import ConfigurationError, NotRunningError, Problem


def run(
    monkeypatch: pytest.MonkeyPatch, *arguments: str, fails_with: Exception | None = None
) -> int:
    if fails_with is not None:

        def fail(**_: object) -> None:
            raise fails_with

        monkeypatch.setattr(commands, "appliance", fail)
    monkeypatch.setattr(sys, "argv", ["appliance", *arguments])
    with pytest.raises(SystemExit) as caught:
        main.main()
    return int(caught.value.code or 0)


def test_help_and_wrong_usage(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, "--help") == 0
    assert run(monkeypatch, "nonsense") == 2


def test_a_wrong_configuration_prints_every_problem_sorted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    error = ConfigurationError([Problem("MATRIX_B", "is bad"), Problem("MATRIX_A", "is bad too")])
    assert run(monkeypatch, "check", fails_with=error) == 2
    assert capsys.readouterr().err == "MATRIX_A: is bad too\nMATRIX_B: is bad\n"


def test_what_failed_is_one_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "status", fails_with=NotRunningError()) == 1
    assert capsys.readouterr().err.startswith("appliance: the server is not running")


def test_a_bug_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ZeroDivisionError):
        run(monkeypatch, "status", fails_with=ZeroDivisionError())
