"""The ways to a relay: UDP, TCP, TLS and DTLS. Of TURN it knows how long a message is.

Certificates are not judged here: who wants that hands over a context that does.
"""

import socket
import time
from enum import StrEnum
from typing import TYPE_CHECKING

from appliance.turn.client import Connection, message_length, resolve

if TYPE_CHECKING:
    import ssl

CONNECT_SECONDS = 5.0
LARGEST = 65536


class Transport(StrEnum):
    """How a client reaches the relay."""

    UDP = "udp"
    TCP = "tcp"
    TLS = "tls"
    DTLS = "dtls"

    @property
    def secure(self) -> bool:
        """Whether it is encrypted, at the port for that."""
        return self in (Transport.TLS, Transport.DTLS)


def connect(
    transport: Transport, host: str, port: int, context: "ssl.SSLContext | None" = None
) -> Connection:
    """Open a connection. Raise OSError if nobody answers there.

    `context`: for TLS, to judge the certificate by; without one any is taken.
    """
    match transport:
        case Transport.UDP:
            return Datagrams(host, port)
        case Transport.TCP:
            return Stream(host, port)
        case Transport.TLS:
            return Stream(host, port, context or _trusting())
        case Transport.DTLS:
            from appliance.turn.dtls import SecureDatagrams  # pyOpenSSL: 60 ms

            return SecureDatagrams(host, port)


class Datagrams:
    """By UDP."""

    reliable = False

    def __init__(self, host: str, port: int) -> None:
        family, address = resolve(host, port)
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._socket.connect(address)

    def send(self, message: bytes) -> None:
        """Send one message."""
        self._socket.send(message)

    def receive(self, within_seconds: float) -> bytes:
        """Return the next message. Raise TimeoutError."""
        self._socket.settimeout(within_seconds)
        return self._socket.recv(LARGEST)

    def close(self) -> None:
        """End it."""
        self._socket.close()


class Stream:
    """By TCP, in TLS if there is a context for it."""

    reliable = True

    def __init__(self, host: str, port: int, context: "ssl.SSLContext | None" = None) -> None:
        self._socket = socket.create_connection((host, port), CONNECT_SECONDS)
        if context:
            try:
                self._socket = context.wrap_socket(self._socket, server_hostname=host)
            except BaseException:
                self._socket.close()
                raise
        self._buffer = b""

    def send(self, message: bytes) -> None:
        """Send one message."""
        self._socket.settimeout(CONNECT_SECONDS)
        self._socket.sendall(message)

    def receive(self, within_seconds: float) -> bytes:
        """Return the next message. Raise TimeoutError, and OSError when the other side closed."""
        deadline = time.monotonic() + within_seconds
        while len(self._buffer) < 4 or len(self._buffer) < message_length(self._buffer[:4]):
            self._socket.settimeout(max(0.001, deadline - time.monotonic()))
            if not (data := self._socket.recv(LARGEST)):
                raise ConnectionResetError("the relay closed the connection")
            self._buffer += data
        length = message_length(self._buffer[:4])
        message, self._buffer = self._buffer[:length], self._buffer[length:]
        return message

    def close(self) -> None:
        """End it."""
        self._socket.close()


def _trusting() -> "ssl.SSLContext":
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
