"""Given what DNS says of each name and what came back from its addresses, tell where it leads.

That nothing of ours came back from our own public address proves nothing, and is never an error.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address

from appliance.public_address import kind
from appliance.reachability.visit import Answer
from appliance.resolver import Lookup

_TYPES = {4: "A", 6: "AAAA"}


class Verdict(StrEnum):
    """Where a name leads."""

    HERE = "leads here"
    INSIDE = "leads here inside this network"
    UNSEEN = "leads to the router"
    UNKNOWN = "cannot be looked up"
    PARTLY = "leads here and elsewhere"
    AWAY = "does not lead here"


@dataclass(frozen=True)
class Arrival:
    """A name and where it leads, worded for the owner."""

    name: str
    verdict: Verdict
    detail: str

    @property
    def well(self) -> bool:
        """Whether nothing shows that it is wrong."""
        return self.verdict not in (Verdict.PARTLY, Verdict.AWAY)


@dataclass(frozen=True)
class Name:
    """A name with all that is known of it. Without `visited` its addresses alone are compared."""

    name: str
    found: Lookup
    visited: Mapping[str, Answer] | None
    zone: Sequence[str] = ()
    """What the zone itself holds, where it was read."""
    proxied: bool = False
    """Whether it goes through Cloudflare's proxy."""


def judge(names: Iterable[Name], public: Sequence[str]) -> list[Arrival]:
    """Return where each name leads. `public`: the addresses of this machine for the world."""
    return [_judge(name, public) for name in names]


def _judge(name: Name, public: Sequence[str]) -> Arrival:
    def conclude(verdict: Verdict, *details: str) -> Arrival:
        said = "; ".join(filter(None, (*details, _compare_with_zone(name))))
        return Arrival(name.name, verdict, said)

    here = [one for one in name.found.addresses if _is_here(name, one, public)]
    others = [one for one in name.found.addresses if one not in here]
    if not name.found.addresses:
        if not name.found.certain:
            return conclude(Verdict.UNKNOWN, "the DNS server of this machine does not answer")
        return conclude(Verdict.AWAY, "has no address in the DNS", _need(public))
    unseen = [one for one in others if one in public]
    elsewhere = [one for one in others if one not in public]
    if not others:
        inside = not any(kind.is_reachable(ip_address(_bare(one))) for one in here)
        if inside:
            what = "what the world is told cannot be seen from here"
            return conclude(Verdict.INSIDE, f"by {_list(here)}, {what}")
        return conclude(Verdict.HERE, f"by {_list(here)}")
    if not elsewhere:
        return conclude(Verdict.UNSEEN, f"{_list(unseen)} is this machine's, but {_unseen(name)}")
    if name.proxied and not (here or unseen):
        what = "goes through Cloudflare's proxy, which does not come through to this machine"
        return conclude(Verdict.AWAY, what, "see that the router forwards the ports to it")
    also = f"also leads to {_list(elsewhere)}" if here or unseen else f"leads to {_list(elsewhere)}"
    verdict = Verdict.PARTLY if here or unseen else Verdict.AWAY
    return conclude(verdict, f"{also}, not to this machine", _need(public))


def _is_here(name: Name, address: str, public: Sequence[str]) -> bool:
    if name.visited is None:
        return address in public
    return name.visited[address] is Answer.OURS


def _unseen(name: Name) -> str:
    """Word what came back from our own address."""
    answers = set((name.visited or {}).values()) - {Answer.OURS}
    what = " and ".join(sorted(answers))
    return (
        f"from inside {what} there: that is so where the router lets nobody in again from its own "
        "network, and also where it does not forward the ports; try it from outside"
    )


def _need(public: Sequence[str]) -> str:
    """Word what the world would have to be told."""
    if not public:
        return "which address it needs is not known yet"
    records = [f"{_TYPES[ip_address(one).version]} {one}" for one in public]
    useless = [one for one in public if not kind.is_reachable(ip_address(one))]
    if len(useless) == len(public):
        what = "; ".join(f"{one} is {kind.describe(ip_address(one))}" for one in useless)
        return (
            f"no record would help: {what}. Ask the provider for a public address or IPv6, or use "
            "a tunnel"
        )
    return f"it needs {' and '.join(records)}"


def _compare_with_zone(name: Name) -> str:
    if not name.zone or set(name.zone) == set(name.found.addresses):
        return ""
    told = _list(name.found.addresses) or "nothing"
    return (
        f"the zone says {_list(name.zone)}, but this machine is told {told}: its DNS server does "
        "not know the change yet, or has names of its own"
    )


def _bare(address: str) -> str:
    return address.partition("%")[0]


def _list(addresses: Iterable[str]) -> str:
    return ", ".join(addresses)
