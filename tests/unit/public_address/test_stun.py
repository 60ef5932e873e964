"""A STUN server's answer is a stranger's word: only a right one to our question counts."""

import socket
from ipaddress import ip_address

import pytest

from appliance.endpoint import Endpoint
from appliance.public_address import stun
from appliance.public_address.stun import StunError, parse_answer

from .stun_server import answer_well, attribute, header, mapped, run_stun_server, xor_mapped

TRANSACTION = bytes(range(12))


def test_the_address_that_a_server_sees() -> None:
    with run_stun_server("198.51.100.7") as server:
        assert stun.ask(server.endpoint, 4) == ip_address("198.51.100.7")
        assert server.requests == 1


def test_by_ipv6() -> None:
    with run_stun_server("2001:db8::7", host="::1") as server:
        assert stun.ask(server.endpoint, 6) == ip_address("2001:db8::7")


def test_by_name() -> None:
    with run_stun_server() as server:
        by_name = Endpoint("localhost", server.endpoint.port)
        assert stun.ask(by_name, 4) == ip_address("198.51.100.7")


def test_a_lost_packet_is_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stun, "_WAITS_SECONDS", (0.05, 5.0))
    lost = [True]

    def lose_the_first(request: bytes, seen_from: str) -> list[bytes]:
        return [] if lost and lost.pop() else answer_well(request, seen_from)

    with run_stun_server(reply=lose_the_first) as server:
        assert stun.ask(server.endpoint, 4) == ip_address("198.51.100.7")
        assert server.requests == 2


def test_an_answer_to_another_question_is_not_ours() -> None:
    def answer_two(request: bytes, seen_from: str) -> list[bytes]:
        forged = header(TRANSACTION, xor_mapped("203.0.113.66", TRANSACTION))
        return [forged, *answer_well(request, seen_from)]

    with run_stun_server(reply=answer_two) as server:
        assert stun.ask(server.endpoint, 4) == ip_address("198.51.100.7")


def test_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stun, "_WAITS_SECONDS", (0.05, 0.05))
    with run_stun_server(reply=lambda *_: []) as server:
        with pytest.raises(StunError, match="does not answer"):
            stun.ask(server.endpoint, 4)
        assert server.requests == 2


def test_nobody_there() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    with pytest.raises(StunError, match="Connection refused"):
        stun.ask(Endpoint("127.0.0.1", port), 4)


def test_a_server_without_that_family() -> None:
    with pytest.raises(StunError):
        stun.ask(Endpoint("127.0.0.1", 3478), 6)


def test_a_server_of_the_first_standard() -> None:
    answer = header(TRANSACTION, mapped("198.51.100.7"))
    assert parse_answer(answer, TRANSACTION) == ip_address("198.51.100.7")


def test_the_masked_address_counts_more() -> None:
    """Routers rewrite the plain one in passing."""
    body = mapped("10.0.0.1") + xor_mapped("198.51.100.7", TRANSACTION)
    assert parse_answer(header(TRANSACTION, body), TRANSACTION) == ip_address("198.51.100.7")


GOOD = xor_mapped("198.51.100.7", TRANSACTION)


@pytest.mark.parametrize(
    "answer",
    {
        "empty": b"",
        "short": header(TRANSACTION, b"")[:19],
        "an error": header(TRANSACTION, attribute(0x0009, b"\0\0\4\0"), kind=0x0111),
        "other protocol": header(TRANSACTION, GOOD, cookie=1),
        "other question": header(bytes(12), GOOD),
        "cut off": header(TRANSACTION, GOOD)[:-1],
        "longer than it says": header(TRANSACTION, GOOD) + b"\0\0\0\0",
        "no address": header(TRANSACTION, attribute(0x8022, b"x")),
        "attribute beyond the end": header(TRANSACTION, b"\0\x20\xff\xff\0\1\0\0"),
        "family unknown": header(TRANSACTION, attribute(0x0020, b"\0\7\0\0abcd")),
        "address too short": header(TRANSACTION, attribute(0x0020, b"\0\1\0\0ab")),
        "address too long": header(TRANSACTION, attribute(0x0020, b"\0\1\0\0abcdefgh")),
        "nothing in it": header(TRANSACTION, attribute(0x0020, b"")),
    }.values(),
)
def test_what_is_no_answer(answer: bytes) -> None:
    with pytest.raises(StunError):
        parse_answer(answer, TRANSACTION)
