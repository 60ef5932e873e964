"""Certificate authorities: one pebble each, reached through a proxy that keeps the host's name."""

import http.client
import json
import os
import ssl
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from world.http_server import Reply, Request

_FOLDER = Path("/tmp/authorities")
_FIRST_PORT = 14000
_START_SECONDS = 30
# At once, no retried nonces, and every order is proved anew: nothing here is left to chance.
_ENVIRONMENT = {
    "PEBBLE_VA_NOSLEEP": "1",
    "PEBBLE_WFE_NONCEREJECT": "0",
    "PEBBLE_AUTHZREUSE": "0",
}
# Of a connection, not of what goes through it.
_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}


@dataclass(frozen=True)
class Policy:
    """What an authority does."""

    validity_seconds: int = 90 * 86400
    external_accounts: dict[str, str] | None = None
    """The keys of accounts by their identifiers, where it demands one."""


class Authority:
    """One certificate authority; what it knows is lost when it starts anew."""

    def __init__(self, number: int, certificate: str, policy: Policy) -> None:
        self._port = _FIRST_PORT + 2 * number
        self._certificate = certificate
        self._policy = policy
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start it, or start it anew: with no account, no order and another root."""
        self.stop()
        _FOLDER.mkdir(exist_ok=True)
        configuration = _FOLDER / f"{self._port}.json"
        configuration.write_text(json.dumps({"pebble": self._configure()}))
        command = ["pebble", "-strict", "-config", str(configuration), "-dnsserver", "127.0.0.1:53"]
        self._process = subprocess.Popen(command, env={**os.environ, **_ENVIRONMENT})
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            assert self._process.poll() is None, "pebble has ended, see above"
            assert time.monotonic() < deadline, "pebble does not answer"
            time.sleep(0.02)

    def stop(self) -> None:
        """Stop it."""
        if self._process:
            self._process.kill()
            self._process.wait()

    def root(self) -> str:
        """Return its root certificate (PEM)."""
        return self._fetch(self._port + 1, "GET", "/roots/0").body.decode()

    def __call__(self, request: Request) -> Reply:
        """Pass a request on, with its host: from that pebble makes the addresses it tells."""
        target = "/dir" if request.target == "/directory" else request.target
        headers = {name: value for name, value in request.headers.items() if name not in _HOP}
        return self._fetch(self._port, request.method, target, headers, request.body)

    def _configure(self) -> dict[str, Any]:
        accounts = self._policy.external_accounts
        return {
            "listenAddress": f"127.0.0.1:{self._port}",
            "managementListenAddress": f"127.0.0.1:{self._port + 1}",
            "certificate": self._certificate,
            "privateKey": self._certificate,
            "httpPort": 80,
            "tlsPort": 443,
            # As every authority says where its revocations are told; nobody asks here.
            "ocspResponderURL": "http://revoked.ca.test",
            "externalAccountBindingRequired": accounts is not None,
            "externalAccountMACKeys": accounts or {},
            "retryAfter": {"authz": 1, "order": 1},
            "keyAlgorithm": "ecdsa",
            "certificateValidityPeriod": self._policy.validity_seconds,
        }

    def _answers(self) -> bool:
        try:
            return self._fetch(self._port, "GET", "/dir").status == 200 and bool(self.root())
        except OSError:
            return False

    def _fetch(
        self,
        port: int,
        method: str,
        target: str,
        headers: dict[str, str] | None = None,
        body: bytes = b"",
    ) -> Reply:
        context = ssl._create_unverified_context()  # noqa: S323 - loopback
        connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=60)
        try:
            connection.request(method, target, body or None, headers or {})
            answer = connection.getresponse()
            content = answer.read()
            kept = {name: value for name, value in answer.getheaders() if name.lower() not in _HOP}
            if links := answer.headers.get_all("Link"):
                kept["Link"] = ", ".join(links)
            if method == "HEAD":
                kept["Content-Length"] = "0"
            return Reply(answer.status, content, kept)
        finally:
            connection.close()


class Authorities:
    """The authorities by their host's name, each started when it is first wanted."""

    def __init__(self, certificate: str) -> None:
        self._certificate = certificate
        self._lock = threading.Lock()
        self.by_host: dict[str, Authority] = {}

    def open(self, host: str, policy: Policy) -> Authority:
        """Return the authority of a host, started with this policy if it is not there yet."""
        with self._lock:
            if host not in self.by_host:
                number = len(self.by_host)
                self.by_host[host] = Authority(number, self._certificate, policy)
            return self.by_host[host]
