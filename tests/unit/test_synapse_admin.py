"""The client's own rules, against a server that keeps Synapse's rules on accounts and log-ins.

That these rules are Synapse's is shown in tests/container/test_cli.py.
"""

import hashlib
import hmac
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from appliance.errors import OperationError
from appliance.synapse_admin import SynapseAdmin

SHARED_SECRET = "the shared secret"
PASSWORD = "the internal password"


class Accounts:
    """As much of Synapse as the client meets."""

    def __init__(self) -> None:
        self.users: dict[str, dict[str, Any]] = {}
        self.valid_tokens: set[str] = set()
        self.log_ins: list[str] = []
        self.refused_log_ins = 0
        self.page_size = 2

    def add(self, name: str, password: str, **more: Any) -> None:
        row = {"name": f"@{name}:here", "displayname": name, "creation_ts": 1_700_000_000}
        flags = {"admin": False, "deactivated": False, "user_type": None}
        self.users[row["name"]] = {**row, **flags, **more, "password": password}

    def answer(self, method: str, path: str, body: Any, headers: Any) -> tuple[int, Any]:
        url = urlsplit(path)
        if url.path == "/_synapse/admin/v1/register":
            return self._register(body) if method == "POST" else (200, {"nonce": "once"})
        if url.path == "/_matrix/client/v3/login":
            return self._log_in(body)
        if headers.get("Authorization", "").removeprefix("Bearer ") not in self.valid_tokens:
            return 401, {"errcode": "M_UNKNOWN_TOKEN", "error": "no"}
        if url.path == "/_synapse/admin/v2/users":
            return self._list(parse_qs(url.query))
        user_id = unquote(url.path.rpartition("/")[2])
        if user_id not in self.users:
            return 404, {"errcode": "M_NOT_FOUND", "error": "User not found"}
        if method == "PUT":
            self.users[user_id].update(body)
        elif method == "POST":
            self.users[user_id].update(deactivated=True, erased=body["erase"])
        return 200, self.users[user_id]

    def _register(self, body: Any) -> tuple[int, Any]:
        signed = [body["nonce"], body["username"], body["password"]]
        signed += ["admin" if body["admin"] else "notadmin", *filter(None, [body.get("user_type")])]
        mac = hmac.new(SHARED_SECRET.encode(), "\0".join(signed).encode(), hashlib.sha1)
        if mac.hexdigest() != body["mac"]:
            return 403, {"errcode": "M_UNKNOWN", "error": "HMAC incorrect"}
        if f"@{body['username']}:here" in self.users:
            return 400, {"errcode": "M_USER_IN_USE", "error": "User ID already taken."}
        more = {"admin": body["admin"], "user_type": body.get("user_type")}
        self.add(body["username"], body["password"], **more)
        return 200, {} if body.get("inhibit_login") else self._give_token(body)

    def _log_in(self, body: Any) -> tuple[int, Any]:
        user = self.users.get(f"@{body['identifier']['user']}:here")
        if user is None or user["password"] != body["password"]:
            self.refused_log_ins += 1
            return 403, {"errcode": "M_FORBIDDEN", "error": "Invalid username or password"}
        return 200, self._give_token(body)

    def _give_token(self, body: Any) -> dict[str, str]:
        self.log_ins.append(body["device_id"])
        token = f"token-{len(self.log_ins)}"
        self.valid_tokens = {token}
        return {"access_token": token}

    def _list(self, query: dict[str, list[str]]) -> tuple[int, Any]:
        start = int(query["from"][0])
        rows = sorted(self.users.values(), key=lambda user: str(user["name"]))
        # Synapse's list has milliseconds where its single account has seconds.
        page = [
            {**row, "creation_ts": row["creation_ts"] * 1000, "last_seen_ts": 0}
            for row in rows[start : start + self.page_size]
        ]
        more = {"next_token": str(start + len(page))} if start + len(page) < len(rows) else {}
        return 200, {"users": page, "total": len(rows), **more}


@pytest.fixture
def accounts() -> Accounts:
    return Accounts()


@pytest.fixture
def admin(accounts: Accounts, serve_json: Callable[..., str], tmp_path: Path) -> SynapseAdmin:
    return SynapseAdmin(
        "here",
        shared_secret=SHARED_SECRET,
        password=PASSWORD,
        socket=serve_json(accounts.answer),
        token_file=tmp_path / "admin_token",
    )


def test_adding_needs_no_internal_account(accounts: Accounts, admin: SynapseAdmin) -> None:
    assert admin.add_user("Alice", "secret", admin=True) == "@alice:here"
    assert list(accounts.users) == ["@alice:here"]
    assert accounts.users["@alice:here"]["admin"] is True
    assert accounts.log_ins == []


def test_who_exists_cannot_be_added(accounts: Accounts, admin: SynapseAdmin) -> None:
    accounts.add("alice", "hers")
    with pytest.raises(OperationError, match="@alice:here exists already"):
        admin.add_user("alice", "other")
    assert accounts.users["@alice:here"]["password"] == "hers"


@pytest.mark.parametrize("name", ["@alice:elsewhere", "@alice", "@alice:here:8448"])
def test_users_of_others_are_refused(admin: SynapseAdmin, name: str) -> None:
    with pytest.raises(OperationError, match="is not of this server"):
        admin.add_user(name, "secret")


@pytest.mark.parametrize("name", ["", "@:here"])
def test_an_empty_name_is_refused(admin: SynapseAdmin, name: str) -> None:
    with pytest.raises(OperationError, match="empty"):
        admin.add_user(name, "secret")


def test_the_internal_account_is_made_once_and_its_token_kept(
    accounts: Accounts, admin: SynapseAdmin, tmp_path: Path
) -> None:
    accounts.add("alice", "hers")
    for _ in range(3):
        assert admin.user("alice").user_id == "@alice:here"
    assert accounts.users["@appliance:here"]["admin"] is True
    assert accounts.log_ins == ["APPLIANCE"]
    assert accounts.refused_log_ins == 0  # Synapse warns of each
    token_file = tmp_path / "admin_token"
    assert token_file.read_text().strip() in accounts.valid_tokens
    assert token_file.stat().st_mode & 0o777 == 0o600


def test_a_token_that_is_no_longer_good_is_renewed(
    accounts: Accounts, admin: SynapseAdmin, tmp_path: Path
) -> None:
    accounts.add("alice", "hers")
    admin.user("alice")
    accounts.valid_tokens.clear()
    assert admin.user("alice").user_id == "@alice:here"
    assert (tmp_path / "admin_token").read_text().strip() in accounts.valid_tokens
    assert len(accounts.users) == 2


def test_a_stranger_called_appliance_is_left_alone(accounts: Accounts, admin: SynapseAdmin) -> None:
    accounts.add("appliance", "a stranger's")
    accounts.add("alice", "hers")
    assert admin.user("alice").user_id == "@alice:here"
    assert accounts.users["@appliance:here"]["password"] == "a stranger's"
    assert not accounts.users["@appliance:here"]["admin"]
    internal = {user.user_id for user in admin.users() if user.internal}
    assert internal == {"@appliance-2:here"}


def test_no_name_is_left(accounts: Accounts, admin: SynapseAdmin) -> None:
    for name in ("appliance", "appliance-2", "appliance-3"):
        accounts.add(name, "a stranger's")
    with pytest.raises(OperationError, match="all taken"):
        list(admin.users())


def test_a_list_is_read_to_its_last_page(accounts: Accounts, admin: SynapseAdmin) -> None:
    for name in ("alice", "bob", "carol", "dave"):
        accounts.add(name, "x")
    users = list(admin.users())
    names = [user.user_id for user in users if not user.internal]
    assert names == ["@alice:here", "@bob:here", "@carol:here", "@dave:here"]
    assert {user.created for user in users} == {admin.user("alice").created} == {1_700_000_000}


def test_changes_reach_the_account(accounts: Accounts, admin: SynapseAdmin) -> None:
    accounts.add("alice", "old")
    admin.set_password("alice", "new", keep_devices=True)
    admin.set_admin("@alice:here", admin=True)
    alice = accounts.users["@alice:here"]
    assert (alice["password"], alice["logout_devices"], alice["admin"]) == ("new", False, True)
    admin.deactivate("alice", erase=True)
    assert (alice["deactivated"], alice["erased"]) == (True, True)
    with pytest.raises(OperationError, match="is deactivated"):
        admin.set_password("alice", "newer")


def test_who_does_not_exist_cannot_be_changed(accounts: Accounts, admin: SynapseAdmin) -> None:
    with pytest.raises(OperationError, match="there is no @nobody:here"):
        admin.set_password("nobody", "secret")
    assert "@nobody:here" not in accounts.users


def test_the_internal_account_cannot_be_changed(admin: SynapseAdmin) -> None:
    with pytest.raises(OperationError, match="the appliance's own account"):
        admin.deactivate("appliance")
