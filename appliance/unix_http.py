"""HTTP over a Unix socket, as the appliance's own servers speak it. Knows nothing above HTTP."""

import http.client
import socket


class UnixConnection(http.client.HTTPConnection):
    """A connection to a server that listens on a Unix socket."""

    def __init__(self, path: str, *, timeout_seconds: float = 30) -> None:
        super().__init__("localhost", timeout=timeout_seconds)
        self._path = path

    def connect(self) -> None:
        """Connect. Raise FileNotFoundError or ConnectionRefusedError if nobody listens."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        try:
            self.sock.connect(self._path)
        except BaseException:
            self.sock.close()
            raise
