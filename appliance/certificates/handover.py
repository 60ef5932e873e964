"""Have every service serve what is published: ask each by TLS, signal it, ask again, restart it.

A signal alone proves nothing: a program may have lost it, or refused the new pair.
"""

import socket
import ssl
import time

from appliance.certificates.publication import Publication
from appliance.certificates.service import TlsService
from appliance.certificates.source import Source
from appliance.errors import OperationError
from appliance.supervisor_client import SupervisorClient

# To begin to answer: a server that is starting must not be signalled.
_START_SECONDS = 60
_RELOAD_SECONDS = 10
_PAUSE_SECONDS = 0.1
_IN_A_ROW = 3
_ASK_SECONDS = 5
_RUNNING = ("starting", "running")
_END = "-----END CERTIFICATE-----"


def hand_over(source: Source, publication: Publication) -> list[str]:
    """Make every running service serve the published pair; return those that had to be told.

    Raise OperationError naming those that go on with another.
    """
    supervisor, host = SupervisorClient(), source.hosts[0]
    running = {one.name for one in supervisor.programs() if one.state in _RUNNING}
    told, failed = [], []
    for service in source.services:
        if service.program not in running:
            continue
        expected = first_certificate(publication.certificate(service.group).read_text())
        _await_answers(service, host)
        if _serves(service, host, expected):
            continue
        told.append(service.program)
        supervisor.signal(service.program, service.signal)
        if not _comes_to_serve(service, host, expected, _RELOAD_SECONDS):
            supervisor.restart(service.program)
            if not _comes_to_serve(service, host, expected, _START_SECONDS):
                failed.append(service.program)
    if failed:
        raise OperationError(
            f"{', '.join(failed)} does not serve the certificate that is published, even after a "
            f"restart: see `appliance logs {failed[0]}`"
        )
    return told


def _await_answers(service: TlsService, host: str) -> None:
    """Wait until every address answers by TLS, whatever it serves, or has had time enough."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if all(served(address, host) for address in service.addresses):
            return
        time.sleep(_PAUSE_SECONDS)


def _comes_to_serve(service: TlsService, host: str, expected: bytes, seconds: float) -> bool:
    """Wait until it is served several times in a row, and return whether that came in time.

    Processes of before take a connection or two more while they are told to end.
    """
    deadline, in_a_row = time.monotonic() + seconds, 0
    while in_a_row < _IN_A_ROW and time.monotonic() < deadline:
        in_a_row = in_a_row + 1 if _serves(service, host, expected) else 0
        time.sleep(_PAUSE_SECONDS)
    return in_a_row == _IN_A_ROW


def _serves(service: TlsService, host: str, expected: bytes) -> bool:
    return all(served(address, host) == expected for address in service.addresses)


def served(address: str, host: str) -> bytes | None:
    """Return the certificate (DER) that is served at an address, None if nobody answers."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    name, _, port = address.rpartition(":")
    try:
        with (
            socket.create_connection((name.strip("[]"), int(port)), _ASK_SECONDS) as connection,
            context.wrap_socket(connection, server_hostname=host) as secured,
        ):
            return secured.getpeercert(binary_form=True)
    except OSError:
        return None


def first_certificate(chain: str) -> bytes:
    """Return the first certificate of a chain (PEM) as it is sent (DER)."""
    return ssl.PEM_cert_to_DER_cert(chain[chain.index("-----BEGIN") :].partition(_END)[0] + _END)
