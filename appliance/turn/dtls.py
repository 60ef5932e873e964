"""The encrypted way to a relay by UDP, with pyOpenSSL: Python's own ssl has no DTLS."""

import contextlib
import time

from OpenSSL import SSL

from appliance.turn.connections import CONNECT_SECONDS, LARGEST, Datagrams


class SecureDatagrams:
    """By UDP, in DTLS."""

    reliable = False

    def __init__(self, host: str, port: int) -> None:
        self._plain = Datagrams(host, port)
        self._ssl: SSL.Connection = SSL.Connection(SSL.Context(SSL.DTLS_METHOD), None)
        self._ssl.set_connect_state()
        self._ssl.set_ciphertext_mtu(1200)
        try:
            self._shake_hands()
        except BaseException:
            self._plain.close()
            raise

    def _shake_hands(self) -> None:
        deadline = time.monotonic() + CONNECT_SECONDS
        while True:
            try:
                self._ssl.do_handshake()
            except SSL.WantReadError:
                self._flush()
                self._wait_for_handshake(deadline)
            except SSL.Error as error:
                raise OSError(f"no DTLS: {error}") from error
            else:
                self._flush()
                return

    def _wait_for_handshake(self, deadline: float) -> None:
        patience = self._ssl.DTLSv1_get_timeout()
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError("the relay does not answer")
        try:
            self._feed(min(remaining, patience if patience else remaining) or 0.01)
        except TimeoutError:
            self._ssl.DTLSv1_handle_timeout()

    def _feed(self, within_seconds: float) -> None:
        self._ssl.bio_write(self._plain.receive(within_seconds))

    def _flush(self) -> None:
        with contextlib.suppress(SSL.WantReadError):
            while True:
                self._plain.send(self._ssl.bio_read(LARGEST))

    def send(self, message: bytes) -> None:
        """Send one message."""
        self._ssl.send(message)
        self._flush()

    def receive(self, within_seconds: float) -> bytes:
        """Return the next message. Raise TimeoutError."""
        deadline = time.monotonic() + within_seconds
        while True:
            try:
                return bytes(self._ssl.recv(LARGEST))
            except SSL.WantReadError:
                self._feed(max(0.001, deadline - time.monotonic()))
            except SSL.Error as error:
                raise ConnectionResetError(f"the relay closed the connection: {error}") from error

    def close(self) -> None:
        """End it."""
        with contextlib.suppress(SSL.Error, OSError):
            self._ssl.shutdown()
            self._flush()
        self._plain.close()
