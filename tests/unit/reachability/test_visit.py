"""Coming in by a name, at servers on loopback."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import trustme

from appliance.endpoint import Endpoint
from appliance.reachability import Answer, visit

NAME, WORD, PATH = "matrix.example.org", "a-word", "/.well-known/matrix-appliance/x"


@contextmanager
def serve(
    body: str = WORD, status: int = 200, tls: ssl.SSLContext | None = None
) -> Iterator[tuple[Endpoint, list[str]]]:
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(f"{self.headers['Host']}{self.path}")
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield Endpoint("127.0.0.1", server.server_port), asked
    server.shutdown()
    server.server_close()


def test_our_own_word_comes_back() -> None:
    with serve() as (at, asked):
        assert visit(NAME, at, PATH, WORD, tls=False) is Answer.OURS
        assert asked == [f"{NAME}:{at.port}{PATH}"]


@pytest.mark.parametrize(
    ("body", "status"), [("another", 200), (WORD + "!", 200), (WORD, 404), ("", 200), ("", 301)]
)
def test_anything_else_is_somebody_else(body: str, status: int) -> None:
    with serve(body, status) as (at, _):
        assert visit(NAME, at, PATH, WORD, tls=False) is Answer.OTHER


def test_by_https_whoever_vouches_for_it() -> None:
    names: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("anything.example").configure_cert(context)
    context.sni_callback = lambda _, name, __: names.append(name)
    with serve(tls=context) as (at, _):
        assert visit(NAME, at, PATH, WORD, tls=True) is Answer.OURS
    assert names == [NAME]


def test_what_speaks_something_else_is_somebody_else() -> None:
    with serve() as (at, _):
        assert visit(NAME, at, PATH, WORD, tls=True) is Answer.OTHER


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        at = Endpoint("127.0.0.1", closed.getsockname()[1])
    assert visit(NAME, at, PATH, WORD, tls=False) is Answer.NONE
    assert visit(NAME, at, PATH, WORD, tls=True) is Answer.NONE
