"""Whether LiveKit is well, reachable through nginx, and tells callers a sensible address."""

from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

from appliance import own_site
from appliance.doctor.contract import Check, Finding, good, uncertain, wrong
from appliance.errors import OperationError
from appliance.launch.livekit import FOLLOW, find_addresses
from appliance.parts import livekit
from appliance.parts.contract import Deployment
from appliance.paths import LIVEKIT_ADDRESSES
from appliance.public_address import kind

_DEAD = (
    "Element Call says OPEN_ID_ERROR to whoever wants to call. The agent starts LiveKit again by "
    "itself; if that does not help look at `appliance logs livekit`."
)
_HIDDEN = "Nobody can enter a call. Look at `appliance logs nginx`, and at your own nginx snippets."
_ONLY_HERE = (
    "Callers beyond this network do not hear anything. Set MATRIX_PUBLIC_IP to the address of your "
    "router, or to auto, and open the ports that `appliance ports` names."
)


def ask_livekit(deployment: Deployment) -> Iterator[Finding]:
    """Ask LiveKit itself, then the way to it, then what it tells callers."""
    health = livekit.PART.check(deployment)
    if not health.healthy:
        yield wrong(f"LiveKit: {health.detail}", _DEAD)
        return
    yield good(f"LiveKit {health.detail}")
    yield _ask_way(deployment)
    if deployment.settings.listens_beyond_loopback:
        yield from _judge_addresses(deployment)


def _ask_way(deployment: Deployment) -> Finding:
    settings = deployment.settings
    path = f"{livekit.PUBLIC_PATH}/rtc/validate?access_token=none"
    try:
        status = own_site.ask(settings, deployment.machine, settings.matrix_host, path).status
    except OperationError as error:
        return wrong(str(error), _HIDDEN)
    if status != 401:  # LiveKit's own answer to a token that is none
        return wrong(f"the way to LiveKit through nginx answers with status {status}", _HIDDEN)
    return good("callers reach it through nginx")


def _judge_addresses(deployment: Deployment) -> Iterator[Finding]:
    settings = deployment.settings
    if settings.follows_public_ip:
        told = Path(LIVEKIT_ADDRESSES).read_text().split(",")
        if told != find_addresses([FOLLOW]):
            yield uncertain(
                f"callers are told {', '.join(told)}, which is no longer right",
                "The agent has LiveKit started again with the right ones within a minute.",
            )
    else:
        told = find_addresses([str(address) for address in settings.given_public_ips])
    for text in told:
        address = ip_address(text)
        if kind.is_reachable(address) or not settings.public_ip:
            yield good(f"callers are told {text}, and this machine's own addresses")
        else:
            yield uncertain(f"callers are told {text}, {kind.describe(address)}", _ONLY_HERE)


CHECK = Check(
    "call-server",
    "calls",
    "Is LiveKit well, and at an address that callers can send to?",
    ask_livekit,
    applies=lambda deployment: livekit.PART.enabled(deployment.settings, deployment.machine),
    order=20,
)
