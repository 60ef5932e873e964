"""Plain bytes in, TLS out, and back."""

import contextlib
import socket
import ssl
from collections.abc import Iterator
from threading import Thread

import pytest
import trustme

from appliance.testing.relay import Relay

NAME = "matrix.one.federation.test"
QUESTION = b"a question of some length " * 20_000
SECONDS = 30


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def server_port(authority: trustme.CA) -> Iterator[int]:
    """A server that proves its name and says everything it hears twice."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(NAME).configure_cert(context)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return  # it is closed
            try:
                with context.wrap_socket(connection, server_side=True) as secured:
                    heard = b""
                    while len(heard) < len(QUESTION) and (chunk := secured.recv(65536)):
                        heard += chunk
                    secured.sendall(heard * 2)
            except OSError:
                continue  # the relay does not believe it, or is gone

    thread = Thread(target=serve)
    thread.start()
    yield int(listener.getsockname()[1])
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(SECONDS)


@pytest.fixture
def relay() -> Iterator[Relay]:
    made = Relay()
    yield made
    made.close()


def ask(port: int) -> bytes:
    heard = b""
    with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as connection:
        connection.sendall(QUESTION)
        while chunk := connection.recv(65536):
            heard += chunk
    return heard


def pem(authority: trustme.CA) -> str:
    return authority.cert_pem.bytes().decode()


def test_it_passes_on_both_ways_again_and_again(
    relay: Relay, server_port: int, authority: trustme.CA
) -> None:
    relay.start(server_port, NAME, pem(authority))
    for _ in range(3):
        assert ask(relay.port) == QUESTION * 2


@pytest.mark.parametrize("wrong", ["name", "authority"])
def test_nothing_is_said_to_a_server_that_is_another(
    relay: Relay, server_port: int, authority: trustme.CA, wrong: str
) -> None:
    known = trustme.CA() if wrong == "authority" else authority
    relay.start(server_port, "elsewhere.test" if wrong == "name" else NAME, pem(known))
    with socket.create_connection(("127.0.0.1", relay.port), timeout=SECONDS) as connection:
        assert connection.recv(1) == b""


def test_nobody_is_answered_after_the_end(
    relay: Relay, server_port: int, authority: trustme.CA
) -> None:
    relay.start(server_port, NAME, pem(authority))
    with socket.create_connection(("127.0.0.1", relay.port), timeout=SECONDS) as connection:
        relay.close()
        relay.close()
        with contextlib.suppress(ConnectionResetError):
            assert connection.recv(1) == b""
    with pytest.raises(ConnectionRefusedError):
        ask(relay.port)
