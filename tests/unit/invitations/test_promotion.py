import json
from collections.abc import Iterator

from appliance.invitations import Note
from appliance.invitations.promotion import find_tokens


class Sessions:
    """What a database answers of its sessions."""

    def __init__(self, *sessions: dict[str, str]) -> None:
        self._rows = [(json.dumps(session),) for session in sessions]

    def execute(self, query: str, values: tuple[str, ...]) -> None:
        self._found = [row for row in self._rows if values[0] in row[0]]

    def __iter__(self) -> Iterator[tuple[str]]:
        return iter(self._found)


def test_only_the_session_of_the_very_account_counts() -> None:
    token = "m.login.registration_token"
    sessions = Sessions(
        {token: "of-a-longer-name", "registered_user_id": "@boss:home.lan.example.org"},
        {token: "of-who-only-asked-for-it", "username": "@boss:home.lan"},
        {token: "right", "registered_user_id": "@boss:home.lan"},
        {"registered_user_id": "@boss:home.lan"},
    )
    assert find_tokens(sessions, "@boss:home.lan") == ["right"]
    assert find_tokens(sessions, "@other:home.lan") == []


def test_only_an_open_invitation_makes_an_administrator() -> None:
    day = 86400
    assert Note(admin=True, expires=1000).makes_admin(now=1000 + day)
    assert not Note(admin=True, expires=1000).makes_admin(now=1000 + 3 * day)
    assert not Note(admin=False, expires=1000).makes_admin(now=0)
