"""What routers say of themselves by NAT-PMP, and what they do not say."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from appliance.public_address import router

ADDRESS = IPv4Address("100.70.1.2")
GOOD = bytes((0, 128, 0, 0)) + bytes(4) + ADDRESS.packed
ROUTES = """\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t0000A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
eth0\t00000000\t0100A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
"""


@contextmanager
def run_router(*answers: bytes | None) -> Iterator[tuple[int, list[bytes]]]:
    """Answer each question in turn; None is silence."""
    asked: list[bytes] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))

        def serve() -> None:
            for answer in answers:
                question, client = listener.recvfrom(64)
                asked.append(question)
                if answer is not None:
                    listener.sendto(answer, client)

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1], asked


def test_a_router_tells_its_address() -> None:
    with run_router(GOOD) as (port, asked):
        assert router.ask("127.0.0.1", port) == ADDRESS
    assert asked == [b"\0\0"]


def test_a_lost_packet_is_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(router, "_WAITS_SECONDS", (0.05, 5.0))
    with run_router(None, GOOD) as (port, asked):
        assert router.ask("127.0.0.1", port) == ADDRESS
    assert len(asked) == 2


def test_silence_and_nobody_there_say_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(router, "_WAITS_SECONDS", (0.05, 0.05))
    with run_router(None, None) as (port, _):
        assert router.ask("127.0.0.1", port) is None
    assert router.ask("127.0.0.1", port) is None


@pytest.mark.parametrize(
    "answer",
    {
        "empty": b"",
        "refused": bytes((0, 128, 0, 2)) + bytes(8),
        "another version": bytes((2, 128, 0, 0)) + bytes(4) + ADDRESS.packed,
        "another operation": bytes((0, 129, 0, 0)) + bytes(4) + ADDRESS.packed,
        "no address": bytes((0, 128, 0, 0)) + bytes(8),
        "too long": GOOD + b"\0",
    }.values(),
)
def test_what_is_no_address(answer: bytes) -> None:
    assert router.parse(answer) is None


def test_the_gateway_is_that_of_the_default_route(tmp_path: Path) -> None:
    routes = tmp_path / "route"
    routes.write_text(ROUTES)
    assert router.find_gateway(routes) == IPv4Address("192.168.0.1")
    routes.write_text("".join(ROUTES.splitlines(keepends=True)[:2]))
    assert router.find_gateway(routes) is None
    assert router.find_gateway(tmp_path / "none") is None
