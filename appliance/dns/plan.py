"""Which records there are, which there should be, what to do about the difference. Does nothing.

A name with any record that is not ours is its owner's, both families of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from appliance.cloudflare import Record
from appliance.dns.source import Source
from appliance.public_address import Known, PublicAddresses, kind

MARK = "made by matrix-appliance"
"""How the comment of our own records begins; without it a record is somebody else's."""

_TYPES = {4: "A", 6: "AAAA"}
_THAT_ANSWER = ("A", "AAAA", "CNAME")


class Action(StrEnum):
    """What is to be done with a record."""

    NOTHING = "nothing"
    CREATE = "create"
    CHANGE = "change"
    KEEP = "keep"
    """It is not what we would write, and not ours to change."""
    LEAVE_OUT = "leave out"
    """It would help nobody."""


@dataclass(frozen=True)
class Row:
    """One record of the plan."""

    name: str
    type: str
    now: str
    """What it holds, empty where there is none."""
    wanted: str
    action: Action
    why: str = ""
    well: bool = True
    """Whether nobody has to do anything about it; where a record of the owner's leads is asked
    elsewhere."""
    proxied: bool = False
    """Whether the world is told an address of Cloudflare's proxy instead."""
    record: Record | None = None
    """The record to create, or the one to change."""


def draw(
    source: Source, addresses: PublicAddresses, existing: Mapping[str, Sequence[Record]]
) -> list[Row]:
    """Given the records of each name, return what to do, name by name, IPv4 first."""
    rows: list[Row] = []
    for name in source.names:
        there = [one for one in existing[name] if one.type in _THAT_ANSWER]
        foreign = [one for one in there if not is_ours(one)]
        if foreign:
            rows.extend(_keep(source, one, addresses) for one in foreign)
            continue
        rows.extend(_draw_one(source, name, known, there) for known in addresses.known)
        rows.extend(_lost(name, addresses, there))
    return rows


def is_ours(record: Record) -> bool:
    """Return whether the appliance made a record."""
    return record.comment.startswith(MARK)


def _draw_one(source: Source, name: str, known: Known, ours: Sequence[Record]) -> Row:
    """Return what to do about one family of a name whose records are all ours."""
    type_, wanted = _TYPES[known.address.version], str(known.address)
    now = next((one for one in ours if one.type == type_), None)
    if now and now.content == wanted:
        return Row(name, type_, now.content, wanted, Action.NOTHING, proxied=now.proxied)
    # An owner who names a private address for a server of a network without names of its own
    # knows why; what was found out behind a provider's NAT leads the world nowhere.
    useless = known.obstacle or (
        "" if kind.is_reachable(known.address) else f"it is {kind.describe(known.address)}"
    )
    if useless and not source.given:
        why = f"{known.address} leads nowhere: {useless}"
        there = now.content if now else ""
        return Row(name, type_, there, "", Action.LEAVE_OUT, why, well=False)
    if now is None:
        proxied = source.proxied and name != source.unproxied
        made = Record(name, type_, wanted, proxied=proxied, comment=f"{MARK} ({source.domain})")
        why = "" if kind.is_reachable(known.address) else kind.describe(known.address)
        return Row(name, type_, "", wanted, Action.CREATE, why, proxied=proxied, record=made)
    if source.follow:
        return Row(name, type_, now.content, wanted, Action.CHANGE, proxied=now.proxied, record=now)
    why = "the address has changed; MATRIX_CLOUDFLARE_DNS=manage would follow it"
    return Row(name, type_, now.content, wanted, Action.KEEP, why, well=False, proxied=now.proxied)


def _keep(source: Source, record: Record, addresses: PublicAddresses) -> Row:
    """Return the row of a record that is not ours: well where it says what we would."""
    wanted = _wanted(record.type, addresses)
    same = record.type != "CNAME" and record.content == wanted
    why = "not made by the appliance"
    blocked = record.proxied and record.name == source.unproxied
    if blocked:
        why += "; it goes through Cloudflare's proxy, which passes no calls: set it to DNS only"
    elif record.proxied:
        why += "; through Cloudflare's proxy"
    action = Action.NOTHING if same else Action.KEEP
    return Row(
        record.name,
        record.type,
        record.content,
        wanted,
        action,
        why,
        well=not blocked,
        proxied=record.proxied,
    )


def _lost(name: str, addresses: PublicAddresses, ours: Sequence[Record]) -> list[Row]:
    """Return the rows of our records in a family of which this machine has no address now."""
    there = {_TYPES[one.address.version] for one in addresses.known}
    why = "this machine has no such address any more; remove the record if that is for good"
    return [
        Row(name, one.type, one.content, "", Action.KEEP, why, well=False)
        for one in ours
        if there and one.type not in there
    ]


def _wanted(type_: str, addresses: PublicAddresses) -> str:
    if type_ == "CNAME":
        return ", ".join(map(str, addresses.addresses))
    return next(
        (str(one) for one in addresses.addresses if _TYPES[one.version] == type_),
        "",
    )
