"""Client of Synapse's admin API over its Unix socket: accounts and registration tokens.

Works as an internal server-admin account, made when first needed. Asks nobody for anything and
prints nothing; a secret never reaches a command line or a log.
Source: Synapse documentation, "Admin API" (user admin, shared-secret and token registration).
"""

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from appliance.errors import OperationError
from appliance.files import write_atomically
from appliance.paths import ADMIN_TOKEN, SYNAPSE_SHARED_SECRET, SYNAPSE_SOCKET
from appliance.synapse_client import RefusedError, SynapseClient

# The next is tried where one belongs to somebody else, or its password is of a lost credential.
ACCOUNT_NAMES = ("appliance", "appliance-2", "appliance-3")
# Not shown in the user directory, not counted as active. Source: Synapse, `UserTypes.SUPPORT`.
_ACCOUNT_TYPE = "support"
# The same device every time, so that devices do not pile up.
_DEVICE = "APPLIANCE"
_PAGE_SIZE = 500


@dataclass(frozen=True)
class User:
    """An account of this server. Times are in seconds since 1970."""

    user_id: str
    display_name: str | None
    admin: bool
    deactivated: bool
    internal: bool
    created: int
    last_seen: int | None


@dataclass(frozen=True)
class RegistrationToken:
    """A token with which somebody may register; None: without a limit."""

    token: str
    uses_allowed: int | None
    used: int
    expires: int | None


class SynapseAdmin:
    """Accounts and tokens of the Synapse behind a socket."""

    def __init__(
        self,
        server_name: str,
        *,
        shared_secret: str,
        password: str,
        socket: str = SYNAPSE_SOCKET,
        token_file: Path = Path(ADMIN_TOKEN),
    ) -> None:
        self._server_name = server_name
        self._shared_secret = shared_secret
        self._password = password
        self._client = SynapseClient(server_name, socket)
        self._token_file = token_file

    def user_id(self, name: str) -> str:
        """Given a localpart or a user ID, return the user ID. Raise OperationError if not ours."""
        if not name.startswith("@"):
            name = f"@{name.lower()}:{self._server_name}"
        localpart, _, server_name = name.removeprefix("@").partition(":")
        if server_name != self._server_name:
            raise OperationError(
                f"{name} is not of this server: its users are @NAME:{self._server_name}"
            )
        if not localpart:
            raise OperationError("the name of the user is empty")
        return name

    def add_user(self, name: str, password: str, *, admin: bool = False) -> str:
        """Make an account and return its user ID. Raise OperationError if it exists."""
        user_id = self.user_id(name)
        localpart = user_id[1:].partition(":")[0]
        try:
            self._register(localpart, password, admin=admin, inhibit_login=True)
        except RefusedError as refusal:
            if refusal.code != "M_USER_IN_USE":
                raise
            raise OperationError(
                f"{user_id} exists already (a name stays taken when its account is deactivated)"
            ) from None
        return user_id

    def users(self) -> Iterator[User]:
        """Yield every account, deactivated and internal ones included, by name."""
        query: dict[str, object] = {"deactivated": "true", "locked": "true", "limit": _PAGE_SIZE}
        start: str | None = "0"
        while start is not None:
            page = self._ask(
                "GET", f"/_synapse/admin/v2/users?{urlencode({**query, 'from': start})}"
            )
            for row in page["users"]:
                yield _parse_user(row, created=row["creation_ts"] // 1000)
            start = page.get("next_token")

    def user(self, name: str) -> User:
        """Return an account. Raise OperationError if there is none of that name."""
        user_id = self.user_id(name)
        try:
            row = self._ask("GET", _path_of(user_id))
        except RefusedError as refusal:
            if refusal.status != 404:
                raise
            raise OperationError(f"there is no {user_id} on this server") from None
        return _parse_user(row, created=row["creation_ts"])  # in seconds here, not milliseconds

    def has_user(self, user_id: str) -> bool:
        """Return whether there is or was an account of that user ID."""
        try:
            self._ask("GET", _path_of(user_id))
        except RefusedError as refusal:
            if refusal.status != 404:
                raise
            return False
        return True

    def set_password(self, name: str, password: str, *, keep_devices: bool = False) -> None:
        """Give an account another password; log its devices out unless told to keep them."""
        user = self.changeable_user(name)
        body = {"password": password, "logout_devices": not keep_devices}
        self._ask("PUT", _path_of(user.user_id), body)

    def set_admin(self, name: str, *, admin: bool) -> None:
        """Make an account a server administrator, or no longer."""
        user = self.changeable_user(name)
        self._ask("PUT", _path_of(user.user_id), {"admin": admin})

    def deactivate(self, name: str, *, erase: bool = False) -> None:
        """Close an account for good; `erase` also hides its messages from who joins later."""
        user = self.changeable_user(name)
        path = f"/_synapse/admin/v1/deactivate/{quote(user.user_id, safe='')}"
        self._ask("POST", path, {"erase": erase})

    def tokens(self) -> list[RegistrationToken]:
        """Return every registration token."""
        rows = self._ask("GET", "/_synapse/admin/v1/registration_tokens")["registration_tokens"]
        return [_parse_token(row) for row in rows]

    def create_token(self, token: str, uses: int | None, expires: int | None) -> RegistrationToken:
        """Make a registration token; `expires` in seconds since 1970."""
        body = {
            "token": token,
            "uses_allowed": uses,
            "expiry_time": None if expires is None else expires * 1000,
        }
        return _parse_token(self._ask("POST", "/_synapse/admin/v1/registration_tokens/new", body))

    def revoke_token(self, token: str) -> None:
        """Delete a registration token. Raise OperationError if there is none such."""
        path = f"/_synapse/admin/v1/registration_tokens/{quote(token, safe='')}"
        try:
            self._ask("DELETE", path)
        except RefusedError as refusal:
            if refusal.status != 404:
                raise
            raise OperationError("there is no such registration token") from None

    def openid_token(self) -> dict[str, Any]:
        """Return a token by which others learn that the internal account asks them."""
        user_id = self._ask("GET", "/_matrix/client/v3/account/whoami")["user_id"]
        path = f"/_matrix/client/v3/user/{quote(user_id, safe='')}/openid/request_token"
        return dict(self._ask("POST", path))

    def call_transports(self) -> list[Any]:
        """Return where clients are told that calls go. Source: MSC4143."""
        answer = self._ask("GET", "/_matrix/client/unstable/org.matrix.msc4143/rtc/transports")
        return list(answer.get("rtc_transports", ()))

    def changeable_user(self, name: str) -> User:
        """Return an account that may be changed."""
        user = self.user(name)
        if user.internal:
            raise OperationError(f"{user.user_id} is the appliance's own account: leave it alone")
        if user.deactivated:
            raise OperationError(f"{user.user_id} is deactivated")
        return user

    def _ask(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Any:
        """Send a request as the internal account; with a new log-in where its token is no good."""
        if token := self._read_token():
            try:
                return self._client.request(method, path, body, token)
            except RefusedError as refusal:
                if refusal.status != 401:
                    raise
        return self._client.request(method, path, body, self._log_in())

    def _read_token(self) -> str:
        try:
            return self._token_file.read_text().strip()
        except FileNotFoundError:
            return ""

    def _log_in(self) -> str:
        """Return a new token of the internal account, made if it is not there, and keep it."""
        for name in ACCOUNT_NAMES:
            # In this order, as Synapse logs a warning for who logs in and does not exist.
            if token := self._register_account(name) or self._log_in_as(name):
                write_atomically(self._token_file, token + "\n", mode=0o600)
                return token
        raise OperationError(
            f"the accounts {', '.join(ACCOUNT_NAMES)} are all taken: none is left for the appliance"
        )

    def _log_in_as(self, name: str) -> str | None:
        body = {
            "type": "m.login.password",
            "identifier": {"type": "m.id.user", "user": name},
            "password": self._password,
            "device_id": _DEVICE,
        }
        try:
            return str(
                self._client.request("POST", "/_matrix/client/v3/login", body)["access_token"]
            )
        except RefusedError as refusal:
            if refusal.code not in ("M_FORBIDDEN", "M_USER_DEACTIVATED"):
                raise
            return None

    def _register_account(self, name: str) -> str | None:
        try:
            made = self._register(
                name, self._password, admin=True, user_type=_ACCOUNT_TYPE, device_id=_DEVICE
            )
        except RefusedError as refusal:
            if refusal.code != "M_USER_IN_USE":
                raise
            return None
        return str(made["access_token"])

    def _register(
        self, localpart: str, password: str, *, admin: bool, user_type: str = "", **more: object
    ) -> Any:
        """Make an account with the shared secret, which needs no other account."""
        nonce = self._client.request("GET", "/_synapse/admin/v1/register")["nonce"]
        signed = [nonce, localpart, password, "admin" if admin else "notadmin"]
        if user_type:
            signed.append(user_type)
            more["user_type"] = user_type
        signature = hmac.new(self._shared_secret.encode(), "\0".join(signed).encode(), hashlib.sha1)
        body = {
            "nonce": nonce,
            "username": localpart,
            "password": password,
            "admin": admin,
            "mac": signature.hexdigest(),
            **more,
        }
        return self._client.request("POST", "/_synapse/admin/v1/register", body)


def connect(server_name: str, password: str) -> SynapseAdmin:
    """Return the admin API of the Synapse that runs here, whose shared secret root may read."""
    shared_secret = Path(SYNAPSE_SHARED_SECRET).read_text().strip()
    return SynapseAdmin(server_name, shared_secret=shared_secret, password=password)


def _path_of(user_id: str) -> str:
    return f"/_synapse/admin/v2/users/{quote(user_id, safe='')}"


def _parse_user(row: Mapping[str, Any], created: int) -> User:
    localpart = row["name"][1:].partition(":")[0]
    last_seen = row.get("last_seen_ts")
    return User(
        user_id=row["name"],
        display_name=row["displayname"],
        admin=bool(row["admin"]),
        deactivated=bool(row["deactivated"]),
        internal=localpart in ACCOUNT_NAMES and row["user_type"] == _ACCOUNT_TYPE,
        created=created,
        last_seen=last_seen // 1000 if last_seen else None,
    )


def _parse_token(row: Mapping[str, Any]) -> RegistrationToken:
    expires = row["expiry_time"]
    return RegistrationToken(
        token=row["token"],
        uses_allowed=row["uses_allowed"],
        used=row["completed"],
        expires=None if expires is None else expires // 1000,
    )
