"""The program that the agent starts every minute, as root: renews, publishes, tells nginx.

Does not rest before nginx was seen to serve what is published.
"""

import socket
import sys
import time
from dataclasses import replace
from pathlib import Path

from appliance.certificates import Publication, Source, refresh
from appliance.errors import EXIT_FAILED, OperationError
from appliance.paths import TLS_SOURCE

_PATIENCE_SECONDS = 10


def main() -> None:
    """Run once. Nothing heavy is imported where nothing has changed."""
    source, publication = Source.from_json(Path(TLS_SOURCE).read_text()), Publication()
    before = publication.read_state()
    try:
        state = refresh(source, publication)
        if state.problem and (before is None or before.problem != state.problem):
            _say(f"not taken: {state.problem}")
        if not state.served:
            _hand_over(source, publication)
            publication.write_state(replace(state, served=True))
            _say("nginx serves a new certificate")
    except OperationError as error:
        _say(str(error))
        sys.exit(EXIT_FAILED)


def _hand_over(source: Source, publication: Publication) -> None:
    """Make nginx read the published pair. Raise OperationError if it goes on with another."""
    from appliance.supervisor_client import SupervisorClient  # only where there is something to do

    SupervisorClient().signal("nginx", "HUP")
    expected = publication.certificate.read_text()
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not _serves(source, expected):
        if time.monotonic() > deadline:
            raise OperationError(
                f"nginx does not serve the certificate in {source.certificate}: see "
                "`appliance logs nginx`"
            )
        time.sleep(0.1)


def _serves(source: Source, chain: str) -> bool:
    """Ask nginx for its certificate, by the first name that it has to hold."""
    import ssl  # only where there is something to do

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    host, _, port = source.address.rpartition(":")
    end = "-----END CERTIFICATE-----"
    expected = ssl.PEM_cert_to_DER_cert(chain[chain.index("-----BEGIN") :].partition(end)[0] + end)
    try:
        with (
            socket.create_connection((host.strip("[]"), int(port)), timeout=5) as connection,
            context.wrap_socket(connection, server_hostname=source.hosts[0]) as secured,
        ):
            return secured.getpeercert(binary_form=True) == expected
    except OSError:
        return False


def _say(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201


if __name__ == "__main__":
    main()
