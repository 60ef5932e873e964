"""The DNS server of the world: authoritative for its zones, and there is nothing else.

Source: RFC 1035 (messages), RFC 2782 (SRV), RFC 8659 (CAA).
"""

import ipaddress
import socket
import socketserver
import struct
import threading
import time
from typing import Any

from world.faults import CallLog, Faults
from world.zones import Record, Registry

HOST = "dns"
"""By which name its calls are logged and its faults injected."""

_TYPES = {1: "A", 2: "NS", 5: "CNAME", 6: "SOA", 16: "TXT", 28: "AAAA", 33: "SRV", 257: "CAA"}
_NUMBERS = {name: number for number, name in _TYPES.items()}
_SERVFAIL, _NXDOMAIN = 2, 3
# Authoritative, and also willing to look up for whoever wishes: it is every server at once.
_FLAGS = 0x8480
_TTL_SECONDS = 1
_PATIENCE_SECONDS = 5


class Resolver:
    """Makes the answer to a question."""

    def __init__(self, registry: Registry, calls: CallLog, faults: Faults) -> None:
        self._registry, self._calls, self._faults = registry, calls, faults
        self.delegations: dict[str, str] = {}
        """Addresses of the name servers of zones that are somewhere else."""

    def reply(self, question: bytes) -> bytes | None:
        """Return the answer, None where there is to be none."""
        number, flags = struct.unpack("!HH", question[:4])
        labels, end = _read_labels(question)
        kind = _TYPES.get(struct.unpack("!H", question[end : end + 2])[0], "?")
        name = ".".join(labels).lower()
        fault = self._faults.take(HOST, f"{kind} {name}")
        if fault:
            time.sleep(fault.delay_seconds)
            if fault.drop:
                self._calls.note(HOST, f"{kind} {name}", None)
                return None
        for zone, address in self.delegations.items():
            if f".{name}".endswith(f".{zone}"):
                self._calls.note(HOST, f"{kind} {name}", None)
                return _forward(question, address)
        with self._registry.lock:
            answers = self._answers(name, kind)
            status = 0 if answers or self._registry.exists(name) else _NXDOMAIN
            authority = [] if answers else self._authority(name)
        if fault:
            status, answers, authority = _SERVFAIL, [], []
        self._calls.note(HOST, f"{kind} {name}", status)
        flags = _FLAGS | (flags & 0x0100) | status
        head = struct.pack("!HHHHHH", number, flags, 1, len(answers), len(authority), 0)
        return head + question[12 : end + 4] + b"".join((*answers, *authority))

    def _answers(self, name: str, kind: str) -> list[bytes]:
        zone = self._registry.zone_of(name)
        if zone and name == zone.name and kind == "NS":
            return [_encode(name, "NS", _encode_name(f"ns.{name}"))]
        if zone and name == zone.name and kind == "SOA":
            return [_start_of_authority(name)]
        if zone and name == f"ns.{zone.name}" and kind == "A":
            ours = list(self._registry.answers("ns.world.test", "A"))
            return [_encode_record(name, record) for record in ours]
        answers: list[bytes] = []
        for record in self._registry.answers(name, kind):
            answers.append(_encode_record(name, record))
            if record.type == "CNAME" and kind != "CNAME":
                answers += self._answers(record.content.lower(), kind)
        return answers

    def _authority(self, name: str) -> list[bytes]:
        zone = self._registry.zone_of(name)
        return [_start_of_authority(zone.name)] if zone else []


def _forward(question: bytes, address: str) -> bytes | None:
    with socket.socket(type=socket.SOCK_DGRAM) as connection:
        connection.settimeout(_PATIENCE_SECONDS)
        try:
            connection.sendto(question, (address, 53))
            return connection.recv(65535)
        except TimeoutError:
            return None


def _read_labels(question: bytes) -> tuple[list[str], int]:
    """Return the labels of the name that is asked for, and where it ends."""
    labels, position = [], 12
    while length := question[position]:
        position += 1
        labels.append(question[position : position + length].decode("latin1"))
        position += length
    return labels, position + 1


def _encode_name(name: str) -> bytes:
    labels = [label.encode() for label in name.rstrip(".").split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def _encode(name: str, kind: str, content: bytes) -> bytes:
    fixed = struct.pack("!HHIH", _NUMBERS[kind], 1, _TTL_SECONDS, len(content))
    return _encode_name(name) + fixed + content


def _start_of_authority(zone: str) -> bytes:
    numbers = struct.pack("!5I", 1, 60, 60, 60, _TTL_SECONDS)
    return _encode(zone, "SOA", _encode_name(f"ns.{zone}") + _encode_name(f"dns.{zone}") + numbers)


def _encode_record(name: str, record: Record) -> bytes:
    match record.type:
        case "A" | "AAAA":
            content = ipaddress.ip_address(record.content).packed
        case "TXT":
            text = record.content.strip('"').encode()
            parts = [text[start : start + 255] for start in range(0, len(text) or 1, 255)]
            content = b"".join(bytes([len(part)]) + part for part in parts)
        case "SRV":
            *numbers, target = record.content.split()
            content = struct.pack("!3H", *map(int, numbers)) + _encode_name(target)
        case "CAA":
            flags, tag, value = record.content.split(" ", 2)
            plain = value.strip('"').encode()
            content = bytes([int(flags), len(tag)]) + tag.encode() + plain
        case _:
            content = _encode_name(record.content)
    return _encode(name, record.type, content)


class _Datagrams(socketserver.ThreadingUDPServer):
    daemon_threads = True
    resolver: Resolver


class _Streams(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True
    resolver: Resolver


class _Datagram(socketserver.BaseRequestHandler):
    server: _Datagrams

    def handle(self) -> None:
        question, connection = self.request
        if (answer := self.server.resolver.reply(question)) is not None:
            connection.sendto(answer, self.client_address)


class _Stream(socketserver.StreamRequestHandler):
    server: _Streams

    def handle(self) -> None:
        (length,) = struct.unpack("!H", self.rfile.read(2))
        if (answer := self.server.resolver.reply(self.rfile.read(length))) is not None:
            self.wfile.write(struct.pack("!H", len(answer)) + answer)


def serve(resolver: Resolver, port: int = 53) -> None:
    """Answer on a port, by UDP and TCP, from now on."""
    servers: list[Any] = [_Datagrams(("", port), _Datagram), _Streams(("", port), _Stream)]
    for server in servers:
        server.resolver = resolver
        threading.Thread(target=server.serve_forever, daemon=True).start()
