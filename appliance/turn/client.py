"""A TURN client that asks for little: allocations over UDP, TCP, TLS and DTLS, permissions, data.

For `appliance status` and `appliance doctor`, which have to know whether the relay really relays.
Source: RFC 8489 (STUN), RFC 8656 (TURN), RFC 7635's sibling for time-limited credentials
(draft-uberti-behave-turn-rest). Blocking, one transaction at a time.
"""

import base64
import hashlib
import hmac
import secrets
import socket
import struct
import time
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Protocol, Self

Address = IPv4Address | IPv6Address
Endpoint = tuple[Address, int]

_COOKIE = 0x2112A442
_BINDING, _ALLOCATE, _REFRESH, _SEND, _DATA, _PERMIT = 0x001, 0x003, 0x004, 0x006, 0x007, 0x008
_INDICATION, _SUCCESS, _ERROR = 0x010, 0x100, 0x110
_USERNAME, _INTEGRITY, _ERROR_CODE, _REALM, _NONCE = 0x0006, 0x0008, 0x0009, 0x0014, 0x0015
_LIFETIME, _PEER, _PAYLOAD, _RELAYED = 0x000D, 0x0012, 0x0013, 0x0016
_FAMILY, _TRANSPORT, _MAPPED, _FINGERPRINT = 0x0017, 0x0019, 0x0020, 0x8028
_UDP = 17
_UNAUTHORIZED, _STALE_NONCE = 401, 438
QUOTA_REACHED = 486
_HEADER = struct.Struct(">HHI12s")
# RFC 8489 6.2.1, shortened: who asks here is near.
_RETRY_SECONDS = (0.2, 0.4, 0.8, 1.6)


class TurnError(OSError):
    """The relay refused; `code` is its reason (RFC 8656, section 19)."""

    def __init__(self, code: int, reason: str) -> None:
        self.code = code
        super().__init__(f"the relay refuses with {code} {reason}")


class Connection(Protocol):
    """A way to a relay that carries whole messages."""

    reliable: bool

    def send(self, message: bytes) -> None:
        """Send one message."""

    def receive(self, within_seconds: float) -> bytes:
        """Return the next message. Raise TimeoutError when none comes, OSError at the end."""

    def close(self) -> None:
        """End it."""


@dataclass(frozen=True)
class Login:
    """A username and its password, never shown."""

    username: str
    password: str = field(repr=False)

    @classmethod
    def make(cls, secret: str, user: str, lifetime_seconds: int = 60) -> Self:
        """Make one as Synapse does: the name says until when it is good."""
        username = f"{int(time.time()) + lifetime_seconds}:{user}"
        digest = hmac.digest(secret.encode(), username.encode(), "sha1")
        return cls(username, base64.b64encode(digest).decode())


@dataclass(frozen=True)
class Message:
    """A STUN message, parsed."""

    kind: int
    transaction: bytes
    attributes: dict[int, bytes]

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a message. Raise OSError if it is none."""
        if len(data) < _HEADER.size:
            raise OSError("no answer that is STUN")
        kind, length, cookie, transaction = _HEADER.unpack_from(data)
        if cookie != _COOKIE or _HEADER.size + length > len(data):
            raise OSError("no answer that is STUN")
        attributes: dict[int, bytes] = {}
        position = _HEADER.size
        while position + 4 <= _HEADER.size + length:
            name, size = struct.unpack_from(">HH", data, position)
            attributes.setdefault(name, data[position + 4 : position + 4 + size])
            position += 4 + size + -size % 4
        return cls(kind, transaction, attributes)

    def endpoint(self, name: int) -> Endpoint:
        """Return an address that an attribute holds, masked as STUN has it."""
        value = self.attributes[name]
        (port,) = struct.unpack_from(">H", value, 2)
        mask = struct.pack(">I", _COOKIE) + self.transaction
        packed = bytes(a ^ b for a, b in zip(value[4:], mask, strict=False))
        return ip_address(packed), port ^ (_COOKIE >> 16)

    def error(self) -> TurnError:
        """Return the refusal that it is."""
        value = self.attributes.get(_ERROR_CODE, b"\0\0\0\0")
        return TurnError(value[2] * 100 + value[3], value[4:].decode(errors="replace"))


@dataclass(frozen=True)
class Allocation:
    """What the relay gave."""

    relayed: Endpoint
    mapped: Endpoint
    lifetime_seconds: int


class Client:
    """A session with a relay on one connection; at its end the relay is told to free the port."""

    def __init__(self, connection: Connection, login: Login) -> None:
        self._connection, self._login = connection, login
        self._realm = self._nonce = b""
        self._waiting: list[tuple[Endpoint, bytes]] = []
        self._allocated = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Free the port and end the connection."""
        try:
            if self._allocated:
                self.refresh(0)
        except OSError:  # it is gone already, and that is what was wanted
            pass
        finally:
            self._connection.close()

    def bind(self) -> Endpoint:
        """Return the address from which the relay sees us (STUN); needs no login."""
        return self._transact(_BINDING, []).endpoint(_MAPPED)

    def allocate(self, version: int | None = None) -> Allocation:
        """Ask for a relay port, of an address family if one is named. Raise TurnError."""
        attributes = [(_TRANSPORT, bytes((_UDP, 0, 0, 0)))]
        if version:
            attributes.append((_FAMILY, bytes(({4: 1, 6: 2}[version], 0, 0, 0))))
        answer = self._ask(_ALLOCATE, attributes)
        self._allocated = True
        (lifetime,) = struct.unpack(">I", answer.attributes[_LIFETIME])
        return Allocation(answer.endpoint(_RELAYED), answer.endpoint(_MAPPED), lifetime)

    def refresh(self, lifetime_seconds: int) -> None:
        """Prolong the allocation, or end it with 0. Raise TurnError."""
        self._ask(_REFRESH, [(_LIFETIME, struct.pack(">I", lifetime_seconds))])
        self._allocated = bool(lifetime_seconds)

    def permit(self, peer: Address) -> None:
        """Let a peer in. Raise TurnError, with 403 if the relay never lets it."""
        transaction = secrets.token_bytes(12)
        self._ask(_PERMIT, [(_PEER, _mask((peer, 0), transaction))], transaction)

    def send(self, peer: Endpoint, payload: bytes) -> None:
        """Send data to a peer; nobody tells whether it arrived."""
        transaction = secrets.token_bytes(12)
        attributes = [(_PEER, _mask(peer, transaction)), (_PAYLOAD, payload)]
        self._connection.send(_render(_SEND | _INDICATION, transaction, attributes))

    def receive(self, within_seconds: float) -> tuple[Endpoint, bytes]:
        """Return what a peer sent, and who. Raise TimeoutError."""
        deadline = time.monotonic() + within_seconds
        while not self._waiting:
            self._take(Message.parse(self._connection.receive(_remaining(deadline))))
        return self._waiting.pop(0)

    def _ask(
        self, method: int, attributes: list[tuple[int, bytes]], transaction: bytes | None = None
    ) -> Message:
        """Make a request as who logged in; the first is refused with what the next needs."""
        for _ in range(3):
            try:
                return self._transact(method, attributes, transaction)
            except _ChallengeError:
                continue
        raise TurnError(_UNAUTHORIZED, "Unauthorized")

    def _transact(
        self, method: int, attributes: list[tuple[int, bytes]], transaction: bytes | None = None
    ) -> Message:
        transaction = transaction or secrets.token_bytes(12)
        key = None
        if self._nonce:
            name = self._login.username.encode()
            attributes = [
                *attributes,
                (_USERNAME, name),
                (_REALM, self._realm),
                (_NONCE, self._nonce),
            ]
            long_term = b":".join((name, self._realm, self._login.password.encode()))
            key = hashlib.md5(long_term, usedforsecurity=False).digest()
        request = _render(method, transaction, attributes, key)
        for patience in (sum(_RETRY_SECONDS),) if self._connection.reliable else _RETRY_SECONDS:
            self._connection.send(request)
            deadline = time.monotonic() + patience
            try:
                while True:
                    answer = Message.parse(self._connection.receive(_remaining(deadline)))
                    if answer.transaction == transaction:
                        return self._judge(answer, signed=key is not None)
                    self._take(answer)
            except TimeoutError:
                continue
        raise TimeoutError("the relay does not answer")

    def _judge(self, answer: Message, *, signed: bool) -> Message:
        if answer.kind & _ERROR == _SUCCESS:
            return answer
        error = answer.error()
        if error.code == _STALE_NONCE or (error.code == _UNAUTHORIZED and not signed):
            self._realm = answer.attributes[_REALM]
            self._nonce = answer.attributes[_NONCE]
            raise _ChallengeError
        raise error

    def _take(self, message: Message) -> None:
        if message.kind == _DATA | _INDICATION:
            self._waiting.append((message.endpoint(_PEER), message.attributes[_PAYLOAD]))


class _ChallengeError(Exception):
    """The relay wants the request again, with what it has just told."""


def _remaining(deadline: float) -> float:
    return max(0.001, deadline - time.monotonic())


def _mask(endpoint: Endpoint, transaction: bytes) -> bytes:
    address, port = endpoint
    mask = struct.pack(">I", _COOKIE) + transaction
    packed = bytes(a ^ b for a, b in zip(address.packed, mask, strict=False))
    family = 1 if address.version == 4 else 2
    return struct.pack(">BBH", 0, family, port ^ (_COOKIE >> 16)) + packed


def _render(
    kind: int,
    transaction: bytes,
    attributes: list[tuple[int, bytes]],
    key: bytes | None = None,
) -> bytes:
    body = b"".join(
        struct.pack(">HH", name, len(value)) + value + bytes(-len(value) % 4)
        for name, value in attributes
    )
    if key:
        # The length counts the attribute that is being made: RFC 8489 14.5.
        header = _HEADER.pack(kind, len(body) + 24, _COOKIE, transaction)
        body += struct.pack(">HH", _INTEGRITY, 20) + hmac.digest(key, header + body, "sha1")
    return _HEADER.pack(kind, len(body), _COOKIE, transaction) + body


def message_length(head: bytes) -> int:
    """Given the first 4 bytes of a message in a stream, return how long it is."""
    kind, length = struct.unpack(">HH", head)
    if kind >= 0x4000:  # channel data, padded in streams
        return int(4 + length + -length % 4)
    return int(_HEADER.size + length)


def resolve(host: str, port: int) -> tuple[socket.AddressFamily, tuple[str, int]]:
    """Given an address of this or another machine, return how a socket reaches it."""
    family = socket.AF_INET6 if ip_address(host).version == 6 else socket.AF_INET
    return family, (host, port)
