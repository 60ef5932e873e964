"""The STUN servers of the world: they tell each client the address that it comes from.

Source: RFC 8489, 5 and 14.2.
"""

import ipaddress
import socketserver
import struct
import threading

from world.faults import CallLog

HOST = "stun"
"""By which name its calls are logged."""
SERVERS = {
    "stun.cloudflare.com": 3478,
    "stun.l.google.com": 19302,
    "stun.nextcloud.com": 443,
    "stun.sipgate.net": 3478,
}

_COOKIE = 0x2112A442
_SUCCESS, _XOR_MAPPED_ADDRESS, _IPV4 = 0x0101, 0x0020, 1


class Mirror:
    """What each client is told: where it comes from, or what a test says of it."""

    def __init__(self, calls: CallLog) -> None:
        self._calls = calls
        self.told: dict[str, str] = {}
        """By the client's address; an empty text is silence."""

    def answer(self, question: bytes, client: str, port: int) -> bytes | None:
        """Return the answer to a question, None where there is none."""
        address = self.told.get(client, client)
        self._calls.note(HOST, f"{client} {address}", None)
        if not address:
            return None
        number = int(ipaddress.IPv4Address(address)) ^ _COOKIE
        mapped = struct.pack("!xBHI", _IPV4, port ^ (_COOKIE >> 16), number)
        attribute = struct.pack("!HH", _XOR_MAPPED_ADDRESS, len(mapped)) + mapped
        return struct.pack("!HHI", _SUCCESS, len(attribute), _COOKIE) + question[8:20] + attribute


class _Server(socketserver.ThreadingUDPServer):
    daemon_threads = True
    mirror: Mirror


class _Handler(socketserver.BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        question, connection = self.request
        if answer := self.server.mirror.answer(question, *self.client_address[:2]):
            connection.sendto(answer, self.client_address)


def serve(mirror: Mirror) -> None:
    """Answer on the ports of all servers from now on."""
    for port in sorted(set(SERVERS.values())):
        server = _Server(("", port), _Handler)
        server.mirror = mirror
        threading.Thread(target=server.serve_forever, daemon=True).start()
