"""Plain HTTP at a port of this machine, passed on to a server that speaks HTTPS alone.

A client under test then needs neither the server's name in its DNS nor the authority of its
certificate. Knows nothing of HTTP: it passes bytes on.
"""

import contextlib
import selectors
import socket
import ssl
from threading import Thread

_CHUNK_BYTES = 65536
_CLOSE_SECONDS = 10
_CONNECT_SECONDS = 10


class Relay:
    """Listens on a free port of loopback from the beginning, and passes on once it is started."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._acceptor: Thread | None = None
        self._open: dict[Thread, list[socket.socket]] = {}

    def start(self, port: int, name: str, ca_certificate: str) -> None:
        """Pass on to a port of this machine, where a server proves that it has a name."""
        context = ssl.create_default_context(cadata=ca_certificate)

        def pass_on(client: socket.socket, server: socket.socket) -> None:
            # Either side may go at any time; who is not that server is told nothing.
            with contextlib.suppress(OSError), client, server:
                server.settimeout(_CONNECT_SECONDS)
                server.connect(("127.0.0.1", port))
                with context.wrap_socket(server, server_hostname=name) as secured:
                    _copy(client, secured)

        def accept() -> None:
            with contextlib.suppress(OSError):  # until it is closed
                while True:
                    client, _ = self._listener.accept()
                    sides = [client, socket.socket()]
                    thread = Thread(target=pass_on, args=sides, daemon=True)
                    self._open = {one: its for one, its in self._open.items() if one.is_alive()}
                    thread.start()
                    self._open[thread] = sides

        self._acceptor = Thread(target=accept, name=f"relay to {name}", daemon=True)
        self._acceptor.start()

    def close(self) -> None:
        """Listen no longer, and break off what is being passed on."""
        _break_off(self._listener)
        if self._acceptor:
            self._acceptor.join(_CLOSE_SECONDS)
        self._listener.close()
        for thread, sides in self._open.items():
            for side in sides:
                _break_off(side)
            thread.join(_CLOSE_SECONDS)


def _copy(client: socket.socket, server: ssl.SSLSocket) -> None:
    """Copy both ways until one of them ends."""
    others = {client: server, server: client}
    with selectors.DefaultSelector() as selector:
        for side in others:
            selector.register(side, selectors.EVENT_READ, side)
        while True:
            # What TLS has read ahead no selector knows of.
            ready = [server] if server.pending() else [key.data for key, _ in selector.select()]
            for side in ready:
                side.setblocking(False)
                try:
                    chunk = side.recv(_CHUNK_BYTES)
                except ssl.SSLWantReadError:  # what came was a matter of TLS itself
                    continue
                finally:
                    side.setblocking(True)
                if not chunk:
                    return
                others[side].sendall(chunk)


def _break_off(side: socket.socket) -> None:
    with contextlib.suppress(OSError):  # it has ended by itself
        side.shutdown(socket.SHUT_RDWR)
