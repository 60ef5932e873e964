"""A STUN server on loopback (RFC 8489), whose every answer a test can replace."""

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address

from appliance.endpoint import Endpoint

COOKIE = 0x2112A442
Reply = Callable[[bytes, str], list[bytes]]


@dataclass
class StunServer:
    endpoint: Endpoint
    seen_from: str
    reply: Reply
    requests: int = 0


def header(transaction: bytes, body: bytes, kind: int = 0x0101, cookie: int = COOKIE) -> bytes:
    return struct.pack("!HHI12s", kind, len(body), cookie, transaction) + body


def attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("!HH", kind, len(value)) + value + bytes(-len(value) % 4)


def xor_mapped(address: str, transaction: bytes, port: int = 4242) -> bytes:
    packed = ip_address(address).packed
    key = struct.pack("!I", COOKIE) + transaction
    masked = bytes(one ^ other for one, other in zip(packed, key, strict=False))
    family = 1 if len(packed) == 4 else 2
    return attribute(0x0020, struct.pack("!BBH", 0, family, port ^ COOKIE >> 16) + masked)


def mapped(address: str, port: int = 4242) -> bytes:
    packed = ip_address(address).packed
    return attribute(0x0001, struct.pack("!BBH", 0, 1 if len(packed) == 4 else 2, port) + packed)


def answer_well(request: bytes, seen_from: str) -> list[bytes]:
    """As a server does: software first (odd length, so padded), then where it sees us."""
    kind, length, cookie, transaction = struct.unpack("!HHI12s", request)
    assert (kind, length, cookie) == (0x0001, 0, COOKIE)
    body = attribute(0x8022, b"a server") + xor_mapped(seen_from, transaction)
    return [header(transaction, body)]


@contextmanager
def run_stun_server(
    seen_from: str = "198.51.100.7", reply: Reply = answer_well, host: str = "127.0.0.1"
) -> Iterator[StunServer]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as listener:
        listener.bind((host, 0))
        server = StunServer(Endpoint(host, listener.getsockname()[1]), seen_from, reply)

        def serve() -> None:
            while True:
                request, client = listener.recvfrom(2048)
                if request == b"end":
                    return
                server.requests += 1
                for answer in server.reply(request, server.seen_from):
                    listener.sendto(answer, client)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server
        with socket.socket(family, socket.SOCK_DGRAM) as last:
            last.sendto(b"end", (host, server.endpoint.port))
        thread.join()
