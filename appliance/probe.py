"""Real questions to running services, as data: what "healthy" means for a part.

A part names its probes; `Part.check` asks them, and the entrypoint keeps those of the essential
parts in `paths.HEALTH` for `appliance health`. Docker asks that every few seconds for ever,
so this imports the standard library's cheap half only: no settings, no http.client.
"""

import json
import socket
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import ClassVar

TIMEOUT_SECONDS = 5.0


@dataclass(frozen=True)
class Check:
    """What a part answered to a real question."""

    healthy: bool
    detail: str


@dataclass(frozen=True)
class HttpProbe:
    """GET `path` at a Unix socket's path or at `ADDRESS:PORT`; any answer below 400 is healthy."""

    kind: ClassVar[str] = "http"
    address: str
    path: str = "/"
    host: str = "localhost"
    tls: bool = False
    """By HTTPS, with whatever certificate: whether that is the right one is asked elsewhere."""

    def ask(self) -> None:
        """Ask. Raise OSError if nothing sensible comes back."""
        request = (
            f"GET {self.path} HTTP/1.1\r\nHost: {self.host}\r\nConnection: close\r\n"
            # Over a Unix socket Synapse answers 500 without the first, and logs without the second.
            "X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: https\r\n\r\n"
        )
        try:
            connection = self._connect()
        except (FileNotFoundError, ConnectionRefusedError):
            raise OSError(f"nobody listens on {self.address}") from None
        with connection:
            connection.sendall(request.encode())
            with connection.makefile("rb") as answer:
                words = answer.readline(1000).split()
        if len(words) < 2 or not words[0].startswith(b"HTTP/"):
            raise OSError("no answer that is HTTP")
        if int(words[1]) >= 400:
            raise OSError(f"answers with status {int(words[1])}")

    def _connect(self) -> socket.socket:
        if not self.address.startswith("/"):
            host, _, port = self.address.rpartition(":")
            connection = socket.create_connection((host.strip("[]"), int(port)), TIMEOUT_SECONDS)
            return self._secure(connection) if self.tls else connection
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(TIMEOUT_SECONDS)
        try:
            connection.connect(self.address)
        except BaseException:
            connection.close()
            raise
        return connection

    def _secure(self, connection: socket.socket) -> socket.socket:
        import ssl  # doubles what this module costs

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        try:
            return context.wrap_socket(connection, server_hostname=self.host)
        except BaseException:
            connection.close()
            raise


@dataclass(frozen=True)
class CommandProbe:
    """Run a program that asks; healthy when it ends with status 0."""

    kind: ClassVar[str] = "command"
    command: Sequence[str]

    def ask(self) -> None:
        """Ask. Raise OSError with the last line it said if it failed."""
        import subprocess

        try:
            done = subprocess.run(
                self.command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            raise TimeoutError("timed out") from None
        if done.returncode:
            said = (done.stderr or done.stdout).strip().splitlines()
            raise OSError(said[-1] if said else f"{self.command[0]} ended with {done.returncode}")


Probe = HttpProbe | CommandProbe
_KINDS: dict[str, type[Probe]] = {kind.kind: kind for kind in (HttpProbe, CommandProbe)}


def ask(probes: Iterable[Probe]) -> Check:
    """Ask probes in turn, to the first that fails. Raises nothing."""
    started = time.monotonic()
    probes = tuple(probes)
    for probe in probes:
        try:
            probe.ask()
        except (OSError, ValueError) as error:
            return Check(healthy=False, detail=getattr(error, "strerror", None) or str(error))
    if not probes:
        return Check(healthy=True, detail="has no server of its own")
    milliseconds = (time.monotonic() - started) * 1000
    return Check(healthy=True, detail=f"answers in {milliseconds:.0f} ms")


def to_json(probes: Mapping[str, Iterable[Probe]]) -> str:
    """Given the probes of each part by its name, return the text of `paths.HEALTH`."""
    rows = {
        part: [{"kind": probe.kind, **asdict(probe)} for probe in of_part]
        for part, of_part in probes.items()
    }
    return json.dumps(rows, indent=1) + "\n"


def from_json(text: str) -> dict[str, list[Probe]]:
    """Given the text of `paths.HEALTH`, return the probes of each part."""
    return {
        part: [_KINDS[row.pop("kind")](**row) for row in rows]
        for part, rows in json.loads(text).items()
    }
