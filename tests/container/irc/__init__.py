"""ngircd on the loopback address of an appliance, and somebody who talks there without Matrix."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from tests.container.appliances import Appliance, until
from tests.container.debian import build_image

PORT = 6667


@contextlib.contextmanager
def serve(appliance: Appliance) -> Iterator[None]:
    """Run an IRC server beside a running appliance, which has published its port."""
    container = appliance.get_wrapped_container()
    server = container.client.containers.run(
        build_image(Path(__file__).parent, "matrix-appliance-irc"),
        detach=True,
        network_mode=f"container:{container.id}",
    )
    try:
        yield
    finally:
        server.remove(force=True, v=True)


class Person:
    """Somebody in a channel of an IRC server."""

    def __init__(self, port: int, nick: str, channel: str) -> None:
        self._nick, self._channel = nick, channel
        self.lines: list[str] = []
        self._socket = until(lambda: _connect(port), "the IRC server answers")
        threading.Thread(target=self._read, daemon=True).start()
        self._send(f"NICK {nick}")
        self._send(f"USER {nick} 0 * :{nick}")
        until(lambda: self.heard(" 001 "), "the IRC server welcomes")
        self._send(f"JOIN {channel}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def say(self, text: str) -> None:
        self._send(f"PRIVMSG {self._channel} :{text}")

    def heard(self, words: str) -> list[str]:
        """Return what the server said with some words in it."""
        return [line for line in self.lines if words in line]

    def _send(self, line: str) -> None:
        self._socket.sendall(f"{line}\r\n".encode())

    def _read(self) -> None:
        with contextlib.suppress(OSError, ValueError), self._socket.makefile() as stream:
            for line in stream:
                if line.startswith("PING"):
                    self._send(f"PONG {line.split()[1]}")
                self.lines.append(line.strip())


def _connect(port: int) -> socket.socket | None:
    """Return a connection on which the server speaks; Docker's proxy takes one before that."""
    with contextlib.suppress(OSError):
        connection = socket.create_connection(("127.0.0.1", port), timeout=1)
        connection.sendall(b"PING :here\r\n")
        if connection.recv(1):
            connection.settimeout(None)
            return connection
        connection.close()
    time.sleep(0.1)
    return None
