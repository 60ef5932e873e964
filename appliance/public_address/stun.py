"""Ask a STUN server from which address it sees this machine. Source: RFC 8489.

One question and one answer over UDP; everything in the answer is a stranger's word.
"""

import secrets
import socket
import struct
import time
from ipaddress import IPv4Address, IPv6Address, ip_address

from appliance.endpoint import Address, Endpoint

# RFC 8489, sections 5, 14.1 and 14.2.
_MAGIC_COOKIE = 0x2112A442
_BINDING_REQUEST, _BINDING_SUCCESS = 0x0001, 0x0101
_MAPPED_ADDRESS, _XOR_MAPPED_ADDRESS = 0x0001, 0x0020
_HEADER = struct.Struct("!HHI12s")
_FAMILIES = {1: (socket.AF_INET, 4), 2: (socket.AF_INET6, 16)}
# Section 6.2.1, shorter: another server is asked sooner than this one a seventh time.
_WAITS_SECONDS = (0.5, 1.0, 1.5)
_ANSWER_BYTES_AT_MOST = 2048


class StunError(Exception):
    """A server did not say from where it sees us."""


def ask(server: Endpoint, version: int) -> Address:
    """Return our address of a family as a server sees it. Raise StunError if it does not say."""
    family = socket.AF_INET if version == 4 else socket.AF_INET6
    try:
        found = socket.getaddrinfo(server.host, server.port, family, socket.SOCK_DGRAM)
    except (OSError, UnicodeError) as error:
        raise StunError(getattr(error, "strerror", None) or "has no such address") from error
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as connection:
            # Connected: the kernel drops what comes from anybody else.
            connection.connect(found[0][4])
            return _converse(connection)
    except TimeoutError:
        raise StunError("does not answer") from None
    except OSError as error:
        raise StunError(error.strerror or str(error)) from error


def build_request(transaction: bytes) -> bytes:
    """Return a Binding request without attributes."""
    return _HEADER.pack(_BINDING_REQUEST, 0, _MAGIC_COOKIE, transaction)


def parse_answer(answer: bytes, transaction: bytes) -> Address:
    """Return the address in the answer to a request. Raise StunError if it is none."""
    if len(answer) < _HEADER.size:
        raise StunError("answers with something else")
    kind, length, cookie, echoed = _HEADER.unpack_from(answer)
    body = answer[_HEADER.size :]
    if (cookie, echoed) != (_MAGIC_COOKIE, transaction) or length != len(body) or length % 4:
        raise StunError("answers with something else")
    if kind != _BINDING_SUCCESS:
        raise StunError("refuses to answer")
    attributes = _parse_attributes(body)
    if _XOR_MAPPED_ADDRESS in attributes:
        key = struct.pack("!I", _MAGIC_COOKIE) + transaction
        return _parse_address(attributes[_XOR_MAPPED_ADDRESS], key)
    if _MAPPED_ADDRESS in attributes:  # all that a server of RFC 3489 says
        return _parse_address(attributes[_MAPPED_ADDRESS], bytes(16))
    raise StunError("names no address")


def _converse(connection: socket.socket) -> Address:
    """Ask until an answer to this very question comes."""
    transaction = secrets.token_bytes(12)
    for wait in _WAITS_SECONDS:
        connection.send(build_request(transaction))
        deadline = time.monotonic() + wait
        while (left := deadline - time.monotonic()) > 0:
            connection.settimeout(left)
            try:
                answer = connection.recv(_ANSWER_BYTES_AT_MOST)
            except TimeoutError:
                break
            if answer[8:20] == transaction:
                return parse_answer(answer, transaction)
    raise TimeoutError


def _parse_attributes(body: bytes) -> dict[int, bytes]:
    """Return attributes by type, of each the first, as section 14 has it."""
    attributes: dict[int, bytes] = {}
    at = 0
    while at + 4 <= len(body):
        kind, length = struct.unpack_from("!HH", body, at)
        value = body[at + 4 : at + 4 + length]
        if len(value) < length:
            raise StunError("answers with something else")
        attributes.setdefault(kind, value)
        at += 4 + length + -length % 4
    return attributes


def _parse_address(value: bytes, key: bytes) -> IPv4Address | IPv6Address:
    if len(value) < 4 or value[1] not in _FAMILIES:
        raise StunError("names no address")
    packed = value[4:]
    if len(packed) != _FAMILIES[value[1]][1]:
        raise StunError("names no address")
    return ip_address(bytes(one ^ other for one, other in zip(packed, key, strict=False)))
