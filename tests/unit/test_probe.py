import socketserver
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance import probe
from appliance.probe import CommandProbe, HttpProbe


def test_a_server_on_a_socket_that_answers_is_healthy(serve_json: Callable[..., str]) -> None:
    seen: list[Any] = []

    def answer(method: str, path: str, body: Any, headers: Any) -> tuple[int, Any]:
        seen.append((method, path, headers["Host"], headers["X-Forwarded-For"]))
        return 200, {}

    check = probe.ask([HttpProbe(serve_json(answer), "/health", "matrix.example.org")])
    assert check.healthy
    assert check.detail.startswith("answers in ")
    assert seen == [("GET", "/health", "matrix.example.org", "127.0.0.1")]


@pytest.mark.parametrize(
    ("status", "healthy"), [(204, True), (301, True), (404, False), (500, False)]
)
def test_the_status_decides(serve_json: Callable[..., str], status: int, healthy: bool) -> None:
    check = probe.ask([HttpProbe(serve_json(lambda *_: (status, {})))])
    assert check.healthy is healthy
    assert healthy or check.detail == f"answers with status {status}"


@pytest.fixture
def babbler() -> Iterator[str]:
    """A TCP server that speaks no HTTP."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.rfile.readline()
            self.wfile.write(b"220 mail.example.org\r\n")

    server = socketserver.TCPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_another_protocol_is_no_answer(babbler: str) -> None:
    check = probe.ask([HttpProbe(babbler)])
    assert not check.healthy
    assert "no answer that is HTTP" in check.detail


def test_nobody_listens(tmp_path: Path) -> None:
    check = probe.ask([HttpProbe(str(tmp_path / "none.sock"))])
    assert (check.healthy, check.detail) == (False, f"nobody listens on {tmp_path}/none.sock")


def test_a_command_is_healthy_by_its_status() -> None:
    assert probe.ask([CommandProbe((sys.executable, "-c", "pass"))]).healthy
    says_why = "import sys; print('one'); sys.exit('the reason')"
    check = probe.ask([CommandProbe((sys.executable, "-c", says_why))])
    assert (check.healthy, check.detail) == (False, "the reason")


def test_a_command_that_is_not_there() -> None:
    assert not probe.ask([CommandProbe(("/nonexistent/psql",))]).healthy


def test_every_probe_must_succeed(serve_json: Callable[..., str]) -> None:
    well, ill = serve_json(lambda *_: (200, {})), serve_json(lambda *_: (503, {}))
    assert not probe.ask([HttpProbe(well), HttpProbe(ill)]).healthy
    assert not probe.ask([HttpProbe(ill), HttpProbe(well)]).healthy


def test_no_probe_at_all() -> None:
    assert probe.ask([]) == probe.Check(healthy=True, detail="has no server of its own")


def test_probes_survive_their_file() -> None:
    probes = {
        "postgres": [CommandProbe(["psql", "-c", "SELECT 1"])],
        "nginx": [HttpProbe("127.0.0.1:80", "/", "matrix.localhost")],
        "agent": [],
    }
    assert probe.from_json(probe.to_json(probes)) == probes
