"""Answers HTTP and HTTPS for every host of the world: logs each call and injects faults.

Knows nothing of what the hosts do; each is a function from a request to a reply.
"""

import json
import ssl
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from world.faults import CallLog, Fault, Faults


@dataclass(frozen=True)
class Request:
    """What a client asked."""

    method: str
    host: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    client: str
    """The client's address."""

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return {name: values[-1] for name, values in parse_qs(urlsplit(self.target).query).items()}


@dataclass(frozen=True)
class Reply:
    """What it is answered."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_json(cls, content: Any, status: int = 200, **headers: str) -> "Reply":
        """Return content as JSON; `Retry_After="9"` is that header."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        body = json.dumps(content).encode()
        return cls(status, body, {"Content-Type": "application/json", **named})


Host = Callable[[Request], Reply]


class World:
    """The hosts by name, what was asked of them, and what goes wrong with them."""

    def __init__(self) -> None:
        self.hosts: dict[str, Host] = {}
        self.calls = CallLog()
        self.faults = Faults()

    def answer(self, request: Request) -> Reply | None:
        """Return the reply, None where the connection is to be broken off."""
        call = f"{request.method} {request.target}"
        fault = self.faults.take(request.host, call)
        if fault:
            time.sleep(fault.delay_seconds)
        if fault and fault.hold:
            fault.gone.wait()
        if fault and fault.drop:
            reply = None
        elif fault and fault.status:
            reply = _injected(fault)
        elif host := self.hosts.get(request.host):
            reply = host(request)
        else:
            reply = Reply(404, f"there is no {request.host} in this world\n".encode())
        self.calls.note(request.host, call, reply.status if reply else None)
        return reply


def _injected(fault: Fault) -> Reply:
    assert fault.status
    return Reply(fault.status, fault.body.encode(), fault.headers)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, world: World, context: ssl.SSLContext | None) -> None:
        super().__init__(("", port), _Handler)
        self.world = world
        if context:
            # The handshake is the handler's, so that a slow client holds up nobody else.
            self.socket = context.wrap_socket(
                self.socket, server_side=True, do_handshake_on_connect=False
            )

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is none of our business; a bug is told by the super class."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    # Else 40 ms per reply pass until the client acknowledges the headers.
    disable_nagle_algorithm = True
    timeout = 300

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        request = Request(
            method=self.command,
            host=(self.headers.get("Host") or "").partition(":")[0].lower(),
            target=self.path,
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(length),
            client=str(self.client_address[0]),
        )
        reply = self.server.world.answer(request)
        if reply is None:
            self.close_connection = True
            return
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if "Content-Length" not in reply.headers:
            self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if request.method != "HEAD":
            self.wfile.write(reply.body)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_GET  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Say nothing: the call log has it."""


def serve(port: int, world: World, certificate: str | None = None) -> None:
    """Answer on a port from now on, by TLS with a certificate and its key in one file."""
    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    server = _Server(port, world, context)
    threading.Thread(target=server.serve_forever, daemon=True).start()
