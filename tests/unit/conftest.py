"""Servers on Unix sockets, for what talks to one."""

import json
import socketserver
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

Answer = Callable[[str, str, Any, Any], tuple[int, Any]]


@pytest.fixture
def serve_json(tmp_path: Path) -> Iterator[Callable[[Answer], str]]:
    """Serve HTTP on a Unix socket: answers come from (method, path, body, headers)."""
    servers: list[socketserver.BaseServer] = []

    def serve(answer: Answer) -> str:
        class Handler(BaseHTTPRequestHandler):
            wbufsize = 1 << 16  # an answer is sent whole: who asks may not wait for its end

            def handle_any(self) -> None:
                text = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                body = json.loads(text) if text else None
                status, reply = answer(self.command, self.path, body, self.headers)
                payload = reply if isinstance(reply, bytes) else json.dumps(reply).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            do_GET = do_PUT = do_POST = do_DELETE = handle_any  # noqa: N815

            def address_string(self) -> str:
                return "unix"

            def log_message(self, *_: object) -> None: ...

        path = str(tmp_path / f"{len(servers)}.sock")
        server = socketserver.ThreadingUnixStreamServer(path, Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        return path

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()
