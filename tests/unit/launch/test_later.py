import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from appliance.launch.later import is_answered


@pytest.fixture
def door() -> Iterator[tuple[str, dict[str, int]]]:
    """What answers where nginx would, with a status that a test decides."""
    answers = {"/health": 502}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(answers[self.path])
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"127.0.0.1:{server.server_port}", answers
    server.shutdown()
    server.server_close()


def test_synapse_counts_as_there_once_it_is_well(door: tuple[str, dict[str, int]]) -> None:
    address, answers = door
    assert not is_answered(address)
    answers["/health"] = 200
    assert is_answered(address)


def test_while_nobody_listens_there_is_no_answer(door: tuple[str, dict[str, int]]) -> None:
    host = door[0].partition(":")[0]
    assert not is_answered(f"{host}:1")
