"""Cloudflare's API v4 as far as zones and records go, on loopback, with faults to order."""

import json
import re
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "edit-everything-0000000000000000000000000"
READ_ONLY = "read-only-00000000000000000000000000000000"


@dataclass
class Answer:
    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)


def refuse(status: int, code: int, message: str, **headers: str) -> Answer:
    body = {"success": False, "errors": [{"code": code, "message": message}], "result": None}
    return Answer(status, body, headers)


@dataclass
class Api:
    """Zones by name, records by id, and what to answer instead."""

    address: str = ""
    zones: dict[str, str] = field(default_factory=dict)
    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    instead: Answer | None = None
    hang_seconds: float = 0
    drip: bool = False
    page_size: int = 50

    def add_zone(self, name: str, status: str = "active") -> str:
        self.zones[name] = status
        return self.zone_id(name)

    def add_record(self, **values: Any) -> str:
        identifier = f"{len(self.records) + 1:032x}"
        self.records[identifier] = {"proxied": False, "comment": None, "id": identifier, **values}
        return identifier

    def zone_id(self, name: str) -> str:
        return f"{list(self.zones).index(name) + 1:032x}"

    def answer(self, method: str, target: str, token: str, body: Any) -> Answer:
        url = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if not re.fullmatch(r"Bearer [\w-]{40,}", token):
            return refuse(400, 6003, "Invalid request headers")
        if token not in (f"Bearer {TOKEN}", f"Bearer {READ_ONLY}"):
            return refuse(403, 9109, "Invalid access token")
        if url.path == "/client/v4/zones":
            rows = [
                {"id": self.zone_id(name), "name": name, "status": status, "name_servers": ["a.ns"]}
                for name, status in self.zones.items()
                if query.get("name") in (None, name)
            ]
            return self._page(rows, query)
        match = re.fullmatch(r"/client/v4/zones/(\w{32})/dns_records(?:/(\w{32}))?", url.path)
        assert match, target
        return self._of_records(method, match[2], token, query, body)

    def _of_records(
        self, method: str, record: str | None, token: str, query: dict[str, str], body: Any
    ) -> Answer:
        if method == "GET":
            rows = [row for row in self.records.values() if row["name"] == query["name"]]
            return self._page(rows, query)
        if token == f"Bearer {READ_ONLY}":
            return refuse(403, 10000, "Authentication error")
        if method == "POST":
            if any(row["name"] == body["name"] for row in self.records.values()):
                return refuse(400, 81058, "An identical record already exists.")
            return self._ok(self.records[self.add_record(**body)])
        if record not in self.records:
            return refuse(404, 81044, "Record does not exist.")
        if method == "PATCH":
            self.records[record] |= body
            return self._ok(self.records[record])
        return self._ok(self.records.pop(record))

    def _page(self, rows: list[Any], query: dict[str, str]) -> Answer:
        """Without total_pages, as some answers are: who asks goes on to an empty page."""
        first = (int(query["page"]) - 1) * self.page_size
        return self._ok(rows[first : first + self.page_size])

    def _ok(self, result: Any) -> Answer:
        return Answer(200, {"success": True, "errors": [], "messages": [], "result": result})


@contextmanager
def run_api(tls: ssl.SSLContext | None = None) -> Iterator[Api]:
    api = Api()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = 1 << 16

        def handle_any(self) -> None:
            text = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            api.asked.append(f"{self.command} {self.path}")
            time.sleep(api.hang_seconds)
            answer = api.instead or api.answer(
                self.command,
                self.path,
                self.headers["Authorization"],
                json.loads(text) if text else None,
            )
            content = answer.body
            if not isinstance(content, bytes):
                content = json.dumps(content).encode()
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if not api.drip:
                self.wfile.write(content)
                return
            for byte in content:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                time.sleep(0.02)

        do_GET = do_POST = do_PATCH = do_DELETE = handle_any  # noqa: N815

        def handle(self) -> None:
            try:
                super().handle()
            except (ConnectionError, TimeoutError):
                return  # who asked has gone: what these tests are about

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    api.address = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}/client/v4"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield api
    server.shutdown()
    server.server_close()
