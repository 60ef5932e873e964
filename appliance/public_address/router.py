"""Ask the router which address it has itself: a provider's NAT shows nowhere else.

Source: RFC 6886 (NAT-PMP), 3.2. Many a router does not answer, which says nothing.
"""

import socket
import struct
from ipaddress import IPv4Address
from pathlib import Path

_ROUTES = Path("/proc/net/route")
_PORT = 5351
_QUESTION = b"\0\0"  # version 0, the operation "external address"
_ANSWER = struct.Struct("!BBHI4s")
_ANSWERED = 128
_WAITS_SECONDS = (0.25, 0.5, 1.0)
# Source: linux/route.h.
_UP_AND_GATEWAY = 0x1 | 0x2


def find_gateway(routes: Path = _ROUTES) -> IPv4Address | None:
    """Return the gateway of the default route, None where there is none."""
    try:
        rows = [line.split() for line in routes.read_text().splitlines()[1:]]
    except OSError:
        return None
    for row in rows:
        destination, gateway, flags = row[1], row[2], int(row[3], 16)
        if int(destination, 16) == 0 and flags & _UP_AND_GATEWAY == _UP_AND_GATEWAY:
            return IPv4Address(int(gateway, 16).to_bytes(4, "little"))
    return None


def ask_for_address() -> IPv4Address | None:
    """Return the address that the router has itself, None if it does not say."""
    gateway = find_gateway()
    return ask(str(gateway)) if gateway else None


def ask(gateway: str, port: int = _PORT) -> IPv4Address | None:
    """Return what a router says of its own address, None if nothing or not this."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connection:
        try:
            connection.connect((gateway, port))
            for wait in _WAITS_SECONDS:
                connection.settimeout(wait)
                connection.send(_QUESTION)
                try:
                    return parse(connection.recv(64))
                except TimeoutError:
                    continue
        except OSError:  # nobody is there
            return None
    return None


def parse(answer: bytes) -> IPv4Address | None:
    """Return the address in an answer, None if it is a refusal or something else."""
    if len(answer) != _ANSWER.size:
        return None
    version, operation, result, _, address = _ANSWER.unpack(answer)
    if (version, operation, result) != (0, _ANSWERED, 0) or not any(address):
        return None
    return IPv4Address(address)
