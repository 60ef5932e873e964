"""Find out this machine's address for the world: STUN servers are asked, the default route helps.

One server's word is enough, two are asked so that a wrong one is noticed. Keeps nothing.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from appliance.endpoint import Address, Endpoint
from appliance.public_address import Known, PublicAddresses, kind, route, router, stun
from appliance.public_address.stun import StunError

_WITNESSES = 2
ROUTE = "the default route"


@dataclass(frozen=True)
class Answer:
    """What one server said: an address, or why not."""

    server: Endpoint
    address: Address | None
    failure: str = ""


@dataclass(frozen=True)
class Found:
    """What there is of one family."""

    known: Known | None
    warnings: tuple[str, ...] = ()
    failed: bool = False
    """Whether there is a way out and nobody said how it looks from outside: what is known then is
    no more than likely."""


@dataclass(frozen=True)
class Network:
    """This machine's own network, so that tests can have another one."""

    ask: Callable[[Endpoint, int], Address] = stun.ask
    find_own_address: Callable[[int], Address | None] = route.find_own_address
    find_lasting_address: Callable[[Address], Address] = route.find_lasting_address
    ask_router: Callable[[], Address | None] = router.ask_for_address


async def discover(
    version: int, servers: Sequence[Endpoint], now: float, network: Network | None = None
) -> Found:
    """Return the address of a family; none without a default route of it."""
    network = network or Network()
    own = network.find_own_address(version)
    if own is None:
        return Found(None)
    answers = await _ask(version, servers, network)
    said = [answer for answer in answers if answer.address is not None]
    if not said:
        return _without_witness(own, answers, now)
    believed = _believe(said)
    assert believed.address is not None  # noqa: S101 - `said` holds only such
    warnings = _compare(believed, said)
    address = believed.address
    if address == own:
        address = network.find_lasting_address(own)
    obstacle = ""
    if not kind.is_reachable(address):
        warnings += (f"{believed.server} sees {address}, {kind.describe(address)}",)
    elif version == 4 and not kind.is_reachable(own):
        if kind.is_carrier_grade_nat(own):  # a modem that is no router
            obstacle, doubts = _judge_inner("this machine itself has", own, address)
        else:
            routers = await asyncio.to_thread(network.ask_router)
            obstacle, doubts = _judge_inner("the router itself has", routers, address)
        warnings += doubts
    return Found(Known(address, str(believed.server), now, obstacle), warnings)


def _judge_inner(who: str, inner: Address | None, address: Address) -> tuple[str, tuple[str, ...]]:
    """Given the outermost address on our side, return what keeps the world out and what to tell."""
    if inner is None or inner == address:
        return "", ()
    said = f"{who} {inner}"
    if kind.is_carrier_grade_nat(inner):
        obstacle = f"{said}, {kind.describe(inner)}"
        help_ = "ask the provider for a public address or IPv6, or use a tunnel"
        return obstacle, (f"{obstacle}, so nobody from the world comes through; {help_}",)
    if not kind.is_reachable(inner):
        doubt = "it is behind another router, which has to forward the ports as well"
        return "", (f"{said}, {kind.describe(inner)}: {doubt}",)
    return "", (f"{said}, but the world sees {address}: two ways out of this network",)


async def discover_all(servers: Sequence[Endpoint]) -> PublicAddresses:
    """Return the addresses of both families, asked now."""
    found = await asyncio.gather(*(discover(one, servers, time.time()) for one in (4, 6)))
    return PublicAddresses.of(
        (one.known for one in found if one.known),
        (warning for one in found for warning in one.warnings),
    )


async def _ask(version: int, servers: Sequence[Endpoint], network: Network) -> list[Answer]:
    """Ask servers until two have answered, and all of them if those two disagree."""
    answers: list[Answer] = []
    left = list(servers)
    while left and (wanted := _still_wanted(answers, len(left))):
        asked, left = left[:wanted], left[wanted:]
        answers += await asyncio.gather(*(_ask_one(one, version, network) for one in asked))
    return answers


def _still_wanted(answers: Sequence[Answer], left: int) -> int:
    addresses = [answer.address for answer in answers if answer.address is not None]
    if len(set(addresses)) > 1:
        return left
    return max(_WITNESSES - len(addresses), 0)


async def _ask_one(server: Endpoint, version: int, network: Network) -> Answer:
    try:
        return Answer(server, await asyncio.to_thread(network.ask, server, version))
    except StunError as error:
        return Answer(server, None, str(error))


def _believe(said: Sequence[Answer]) -> Answer:
    """Return the first of those who say what most say."""
    votes = Counter(answer.address for answer in said)
    return max(said, key=lambda answer: votes[answer.address])


def _compare(believed: Answer, said: Sequence[Answer]) -> tuple[str, ...]:
    return tuple(
        f"{answer.server} sees {answer.address}, but {believed.server}, which is believed, sees "
        f"{believed.address}: two ways out of this network, or a server that is wrong (name others "
        "in MATRIX_STUN_SERVERS, or your address in MATRIX_PUBLIC_IP)"
        for answer in said
        if answer.address != believed.address
    )


def _without_witness(own: Address, answers: Sequence[Answer], now: float) -> Found:
    """Judge by the default route alone: right where the machine has the public address itself."""
    failures = "; ".join(f"{answer.server}: {answer.failure}" for answer in answers)
    silence = f"no STUN server said which IPv{own.version} address this machine has for the world"
    if kind.is_reachable(own):
        return Found(Known(own, ROUTE, now), (f"{silence} ({failures})",), failed=True)
    own_kind = kind.describe(own)
    return Found(None, (f"{silence} ({failures}); its own is {own}, {own_kind}",), failed=True)
