"""Whether the address that the relay tells callers is one that they can send to."""

from collections.abc import Iterator

from appliance.doctor.contract import Check, Finding, good, uncertain, wrong
from appliance.parts.contract import Deployment
from appliance.public_address import kind
from appliance.turn.addresses import Relay, describe
from appliance.turn.options import find_addresses, read_options, read_relays

_ONLY_HERE = (
    "Calls are relayed within this network only. For callers beyond it set MATRIX_PUBLIC_IP to the "
    "address of your router, or to auto."
)
_STALE = (
    "Relayed calls from beyond this network fail. The agent has the relay start again by itself, "
    "when no call runs or after MATRIX_TURN_PATIENCE; `appliance status` says how that stands."
)


def judge_address(deployment: Deployment) -> Iterator[Finding]:
    """Compare the address in use with the one that a start now would use."""
    relays = read_relays()
    if not relays:
        yield wrong(
            "the relay has not found an address of this machine",
            "No call is relayed: look at `appliance logs coturn`.",
        )
        return
    wanted = find_addresses(read_options()).relays
    if wanted != relays:
        yield wrong(f"relays at {describe(relays)}, and should at {describe(wanted)}", _STALE)
    for relay in relays:
        yield _judge(relay, lan=not deployment.settings.public_ip)


def _judge(relay: Relay, *, lan: bool) -> Finding:
    told = f"callers are told {describe((relay,))}"
    if kind.is_reachable(relay.public):
        return good(told)
    if relay.local.is_loopback:
        return good(f"{told}, for this machine alone (MATRIX_LISTEN)")
    if lan:
        return good(f"{told}, for this network alone (MATRIX_PUBLIC_IP=none)")
    return uncertain(f"{told}, {kind.describe(relay.public)}", _ONLY_HERE)


CHECK = Check(
    "turn-address",
    "calls",
    "Is the relay at an address that callers can send to?",
    judge_address,
    applies=lambda deployment: bool(deployment.settings.turn),
    order=11,
)
