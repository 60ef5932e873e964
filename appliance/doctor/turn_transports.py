"""Whether the relay gives a port over every transport that clients are told of."""

from collections.abc import Iterable, Iterator

from appliance.doctor.contract import Check, Finding, good, wrong
from appliance.listeners import Listener, Protocol, turn_listeners
from appliance.parts import coturn
from appliance.parts.contract import Deployment
from appliance.turn import question
from appliance.turn.client import QUOTA_REACHED, TurnError
from appliance.turn.connections import Transport

_ADVICE = {
    Transport.UDP: "One-to-one calls of Element fail between different networks: look at "
    "`appliance logs coturn`.",
    Transport.TCP: "Calls fail for people whose network lets no UDP through: look at "
    "`appliance logs coturn`.",
    Transport.TLS: "Calls fail for people whose network lets nothing but TLS through: look at "
    "`appliance logs coturn` and `appliance status` (certificates).",
    Transport.DTLS: "Few clients use it: look at `appliance logs coturn`.",
}
_FULL = (
    "Calls that run use every port of the relay, so others cannot begin. If it stays so, set "
    "MATRIX_TURN_RELAY_LAST_PORT higher, and open those ports."
)


def ask_every_transport(deployment: Deployment) -> Iterator[Finding]:
    """Ask at every port and address family."""
    secret = deployment.credentials[coturn.SECRET]
    for transport, listener in _ways(deployment):
        what = f"{transport} at {listener.reachable}"
        try:
            allocation = question.allocate(listener, secret, transport)
        except OSError as error:
            full = isinstance(error, TurnError) and error.code == QUOTA_REACHED
            advice = _FULL if full else _ADVICE[transport]
            yield wrong(f"{what}: {error.strerror or error}", advice)
        else:
            yield good(f"{what} gives port {allocation.relayed[1]} of {allocation.relayed[0]}")


def _ways(deployment: Deployment) -> Iterable[tuple[Transport, Listener]]:
    secure_port = deployment.settings.turn_tls_port
    for listener in turn_listeners(deployment.settings, deployment.machine):
        udp, secure = listener.protocol is Protocol.UDP, listener.port == secure_port
        if secure:
            yield (Transport.DTLS if udp else Transport.TLS), listener
        else:
            yield (Transport.UDP if udp else Transport.TCP), listener


CHECK = Check(
    "turn-transports",
    "calls",
    "Does the relay give a port over every transport?",
    ask_every_transport,
    applies=lambda deployment: bool(deployment.settings.turn),
    order=10,
)
