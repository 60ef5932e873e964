"""HTTP to one host of the appliance, and a Matrix account that needs no more than that.

Connects to 127.0.0.1 with the host's name in the request: no test machine resolves the names.
"""

import json
import secrets
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import quote

import urllib3

PASSWORD = "correct horse battery staple"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class RefusedError(Exception):
    """The server answered a Matrix request with an error."""

    def __init__(self, request: str, answer: Answer) -> None:
        self.answer = answer
        self.code = answer.json().get("errcode") if answer.body.startswith(b"{") else None
        super().__init__(f"{request}: {answer.status} {answer.body[:500]!r}")


class UnreachableError(OSError):
    """Nobody answered."""


class Site:
    """One host, by the authority that its clients use, at a port of 127.0.0.1."""

    def __init__(
        self,
        authority: str,
        port: int,
        ca_certificate: str | None = None,
        *,
        whoever_it_is: bool = False,
    ) -> None:
        """`whoever_it_is`: by HTTPS, without a look at the certificate."""
        self.host = host = authority.partition(":")[0]
        self._port, self._ca_certificate = port, ca_certificate
        self.url = f"{'https' if ca_certificate or whoever_it_is else 'http'}://{authority}"
        options: dict[str, Any] = {"headers": {"Host": authority}, "timeout": 60, "retries": False}
        self._pool: urllib3.HTTPConnectionPool
        if whoever_it_is:
            self._pool = urllib3.HTTPSConnectionPool(
                "127.0.0.1", port, cert_reqs="CERT_NONE", server_hostname=host, **options
            )
        elif ca_certificate:
            self._pool = urllib3.HTTPSConnectionPool(
                "127.0.0.1",
                port,
                ca_cert_data=ca_certificate,
                assert_hostname=host,
                server_hostname=host,
                **options,
            )
        else:
            self._pool = urllib3.HTTPConnectionPool("127.0.0.1", port, **options)

    def request(
        self,
        method: str,
        path: str,
        body: bytes | Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Ask once, following no redirect and decoding nothing. Raise UnreachableError."""
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        try:
            response = self._pool.urlopen(
                method,
                path,
                body=content,
                headers={**self._pool.headers, **(headers or {})},
                redirect=False,
                decode_content=False,
            )
        except urllib3.exceptions.HTTPError as error:
            raise UnreachableError(f"{method} {self.url}{path}: {error}") from error
        return Answer(response.status, response.headers, response.data)

    def fetch_certificate(self) -> bytes:
        """Return the certificate (DER) that is served now, if it is valid for this host."""
        context = ssl.create_default_context(cadata=self._ca_certificate)
        with (
            socket.create_connection(("127.0.0.1", self._port), timeout=10) as connection,
            context.wrap_socket(connection, server_hostname=self.host) as secured,
        ):
            certificate = secured.getpeercert(binary_form=True)
        assert certificate
        return certificate

    def get(self, path: str, **headers: str) -> Answer:
        """Ask for a page; `Accept_Encoding="gzip"` is that header."""
        return self.request(
            "GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )


class Account:
    """Somebody logged in on one device, without encryption."""

    def __init__(self, site: Site, session: Mapping[str, str]) -> None:
        self.site = site
        self.user_id = session["user_id"]
        self.access_token = session["access_token"]
        self.device_id = session["device_id"]

    @classmethod
    def register(cls, site: Site, name: str | None = None, token: str | None = None) -> Self:
        """Make an account, by a registration token if one is given. Raise RefusedError."""
        path = "/_matrix/client/v3/register"
        body = {"username": name or f"user-{secrets.token_hex(4)}", "password": PASSWORD}
        auth = {"type": "m.login.dummy"}
        if token is not None:
            auth["session"] = site.request("POST", path, body).json()["session"]
            stage = {"type": "m.login.registration_token", "token": token}
            answer = site.request("POST", path, {**body, "auth": {**auth, **stage}})
            if stage["type"] not in answer.json().get("completed", []):
                raise RefusedError(f"POST {path}", answer)
        return cls(site, ask(site, "POST", path, {**body, "auth": auth}))

    @classmethod
    def log_in(cls, site: Site, name: str) -> Self:
        """Log in on a new device."""
        body = {
            "type": "m.login.password",
            "identifier": {"type": "m.id.user", "user": name},
            "password": PASSWORD,
        }
        return cls(site, ask(site, "POST", "/_matrix/client/v3/login", body))

    @property
    def authorization(self) -> dict[str, str]:
        """The header by which the server knows the account."""
        return {"Authorization": f"Bearer {self.access_token}"}

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Make a request of the client API, below `/_matrix/client`. Raise RefusedError."""
        return ask(self.site, method, f"/_matrix/client{path}", body, self.authorization)

    def create_room(self, **content: Any) -> str:
        """Make a room and return its ID."""
        return str(self.ask("POST", "/v3/createRoom", content)["room_id"])

    def send(self, room: str, text: str, transaction: str | None = None) -> str:
        """Send a message and return its event ID: from then on the server must not lose it."""
        path = f"/v3/rooms/{quote(room)}/send/m.room.message/{transaction or secrets.token_hex(8)}"
        return str(self.ask("PUT", path, {"msgtype": "m.text", "body": text})["event_id"])

    def try_to_send(self, room: str, text: str, transaction: str) -> str | None:
        """Send as clients do that try again later: None while the server cannot take it."""
        try:
            return self.send(room, text, transaction)
        except UnreachableError:
            return None
        except RefusedError as error:
            if error.answer.status < 500:
                raise
            return None

    def read(self, room: str) -> dict[str, str]:
        """Return every text of a room by its event ID, oldest first."""
        events: list[Any] = []
        position = ""
        while True:
            page = self.ask("GET", f"/v3/rooms/{quote(room)}/messages?dir=b&limit=100{position}")
            events += page["chunk"]
            if "end" not in page:
                break
            position = f"&from={quote(page['end'])}"
        texts = [event for event in reversed(events) if event["type"] == "m.room.message"]
        return {event["event_id"]: event["content"]["body"] for event in texts}

    def address_seen(self, **headers: str) -> str:
        """Make a request with headers, and return the address from which the server saw it.

        `X_Forwarded_For="…"` is that header.
        """
        # Synapse writes an address down once for each log-in.
        fresh = self.log_in(self.site, self.user_id[1:].partition(":")[0])
        agent = {"User-Agent": secrets.token_hex(8)}
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        who = "/_matrix/client/v3/account/whoami"
        ask(self.site, "GET", who, None, {**sent, **fresh.authorization, **agent})
        seen = self.ask("GET", f"/v3/admin/whois/{quote(self.user_id)}")
        (address,) = {
            connection["ip"]
            for device in seen["devices"].values()
            for session in device["sessions"]
            for connection in session["connections"]
            if connection["user_agent"] == agent["User-Agent"]
        }
        return str(address)

    def openid_token(self) -> dict[str, Any]:
        """Return a token by which others learn from the server who this is."""
        path = f"/v3/user/{quote(self.user_id)}/openid/request_token"
        return dict(self.ask("POST", path, {}))

    def upload(self, content: bytes, kind: str = "application/octet-stream") -> Answer:
        """Upload a file."""
        headers = {**self.authorization, "Content-Type": kind}
        return self.site.request("POST", "/_matrix/media/v3/upload", content, headers)

    def download(self, uri: str) -> Answer:
        """Download what a content URI (`mxc://server/id`) names."""
        path = f"/_matrix/client/v1/media/download/{uri.removeprefix('mxc://')}"
        return self.site.request("GET", path, headers=self.authorization)


def ask(
    site: Site,
    method: str,
    path: str,
    body: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Any:
    """Make a Matrix request and return its JSON. Raise RefusedError unless it succeeds."""
    answer = site.request(method, path, body, headers)
    if answer.status != 200:
        raise RefusedError(f"{method} {path}", answer)
    return answer.json()
