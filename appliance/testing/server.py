"""One server in a container, for as long as a `with` block."""

import http.client
import json
import secrets
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

from testcontainers.core.container import DockerContainer

IMAGE = "matrix-appliance"
_READY_SECONDS = 120
_REQUEST_SECONDS = 30


class MatrixApplianceError(Exception):
    """The server did not start, or refused what was asked of it."""


@dataclass(frozen=True)
class User:
    """An account that is logged in."""

    user_id: str
    password: str
    access_token: str
    device_id: str


class MatrixAppliance(DockerContainer):
    """An empty Matrix server that lives as long as the `with` block, on loopback only.

        with MatrixAppliance() as server:
            alice = server.create_user("alice")
            client = nio.AsyncClient(server.client_url, alice.user_id)

    Anybody may register and nothing is slowed down; `with_variables` changes that and all else.
    `port` is that of `client_url`, a free one if none is given; more arguments are Docker's.
    """

    _retry_seconds = 0.05

    def __init__(self, image: str = IMAGE, *, port: int | None = None, **kwargs: Any) -> None:
        super().__init__(image, **kwargs)
        self._port = port or free_port()
        self.publish(self._port, self._port)
        # One port inside and out, and an address that every resolver knows: what the server says
        # of itself is then true for its clients.
        self.with_variables(
            MATRIX_LISTEN="0.0.0.0",  # noqa: S104 - inside; published on loopback
            MATRIX_HTTP_PORT=str(self._port),
            MATRIX_PUBLIC_BASE_URL=self.client_url,
            MATRIX_REGISTRATION="open",
            MATRIX_RATE_LIMITS="no",
        )

    @property
    def client_url(self) -> str:
        """The address of the client API."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def server_name(self) -> str:
        """The server's name, the part of a user ID after the colon."""
        domain = self.env.get("MATRIX_DOMAIN") or "localhost"
        return self.env.get("MATRIX_SERVER_NAME") or f"matrix.{domain}"

    def with_variables(self, **variables: str) -> Self:
        """Set variables of the appliance (`MATRIX_…`); an empty one goes back to its default."""
        return self.with_envs(**variables)

    def publish(self, port: int, on: int) -> Self:
        """Make a port of the container reachable on this machine's loopback address."""
        # Docker's own form, which the annotation leaves out.
        self.ports[str(port)] = ("127.0.0.1", on)  # type: ignore[assignment]
        return self

    def start(self) -> Self:
        """Start it and wait until it is healthy. Raise MatrixApplianceError if it ends before."""
        super().start()
        self.wait_until_ready()
        self._wait_until(self.is_healthy, _READY_SECONDS)
        return self

    def wait_until_ready(self, within_seconds: float = _READY_SECONDS) -> None:
        """Wait until clients are answered. Raise MatrixApplianceError if that does not come."""
        self._wait_until(self.is_ready, within_seconds)

    def _wait_until(self, condition: Callable[[], bool], within_seconds: float) -> None:
        deadline = time.monotonic() + within_seconds
        while not condition():
            self.reload()
            if self.status not in ("created", "running"):
                raise MatrixApplianceError(f"the server has ended; it said:\n{self.logs()}")
            if time.monotonic() > deadline:
                raise MatrixApplianceError(
                    f"no answer within {within_seconds:.0f} s; the server said:\n{self.logs()}"
                )
            time.sleep(self._retry_seconds)

    def is_ready(self) -> bool:
        """Return whether clients are answered now."""
        try:
            with urllib.request.urlopen(  # noqa: S310 - http, to ourselves
                f"{self.client_url}/_matrix/client/versions", timeout=_REQUEST_SECONDS
            ) as response:
                return bool(response.status == 200)
        except (OSError, http.client.HTTPException):
            return False

    def is_healthy(self) -> bool:
        """Return what Docker's own health check of it would find now."""
        result = self.get_wrapped_container().exec_run(["appliance", "health"])
        return bool(result.exit_code == 0)

    def create_user(self, name: str, password: str | None = None, *, admin: bool = False) -> User:
        """Make an account, whoever else may register, and log it in."""
        password = password or secrets.token_urlsafe(12)
        self.command(
            *("user", "add", name, "--password-stdin", *(["--admin"] if admin else [])),
            standard_input=password,
        )
        return self.log_in(name, password)

    def log_in(self, name: str, password: str) -> User:
        """Log an account in on a new device."""
        login = {
            "type": "m.login.password",
            "identifier": {"type": "m.id.user", "user": name},
            "password": password,
        }
        request = urllib.request.Request(  # noqa: S310 - http, to ourselves
            f"{self.client_url}/_matrix/client/v3/login", json.dumps(login).encode()
        )
        try:
            with urllib.request.urlopen(request, timeout=_REQUEST_SECONDS) as response:  # noqa: S310
                session = json.load(response)
        except urllib.error.HTTPError as error:
            raise MatrixApplianceError(f"{name} cannot log in: {error.read().decode()}") from error
        return User(session["user_id"], password, session["access_token"], session["device_id"])

    def command(self, *arguments: str, standard_input: str = "") -> str:
        """Run `appliance …` inside and return its standard output.

        Raise MatrixApplianceError if it fails.
        """
        script = 'printf %s "$STANDARD_INPUT" | appliance "$@"'
        result = self.get_wrapped_container().exec_run(
            ["sh", "-c", script, "sh", *arguments],
            environment={"STANDARD_INPUT": standard_input},
            demux=True,
        )
        output, complaints = (bytes(part or b"").decode() for part in result.output)
        if result.exit_code:
            raise MatrixApplianceError(f"appliance {' '.join(arguments)}: {output}{complaints}")
        return output

    def logs(self) -> str:
        """Return all that the server has said so far."""
        return bytes(self.get_wrapped_container().logs()).decode()


def free_port() -> int:
    """Return a TCP port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
