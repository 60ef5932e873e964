"""Whether two callers who both use the relay hear each other: most calls need that."""

from collections.abc import Iterator

from appliance.doctor.contract import Check, Finding, good, wrong
from appliance.listeners import turn_listeners
from appliance.parts import coturn
from appliance.parts.contract import Deployment
from appliance.turn import question
from appliance.turn.options import read_relays

_ADVICE = (
    "Relayed calls connect and stay silent. Something on this machine drops UDP between its own "
    "relay ports: look at its firewall (`appliance ports` has the ports)."
)


def relay_to_itself(deployment: Deployment) -> Iterator[Finding]:
    """Send from one relayed caller to another, over each address family that is relayed."""
    listener = turn_listeners(deployment.settings, deployment.machine)[0]
    secret = deployment.credentials[coturn.SECRET]
    for relay in read_relays() or ():
        version = relay.local.version
        try:
            question.relay(listener, secret, version)
        except OSError as error:
            reason = error.strerror or str(error)
            yield wrong(f"two relayed callers over IPv{version}: {reason}", _ADVICE)
        else:
            yield good(f"two relayed callers hear each other over IPv{version}")


CHECK = Check(
    "turn-loop",
    "calls",
    "Do two relayed callers hear each other?",
    relay_to_itself,
    applies=lambda deployment: bool(deployment.settings.turn),
    order=12,
)
