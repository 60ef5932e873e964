import io

import pytest

from appliance.cli import users
from appliance.errors import OperationError


def test_a_password_from_standard_input_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("a pass word \r\nmore\n"))
    assert users.choose_password(from_stdin=True) == ("a pass word ", False)


def test_an_empty_standard_input_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    with pytest.raises(OperationError, match="no password on standard input"):
        users.choose_password(from_stdin=True)


def test_without_a_terminal_one_is_made_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    first, told = users.choose_password(from_stdin=False)
    second, _ = users.choose_password(from_stdin=False)
    assert told
    assert len(first) > 20
    assert first != second
