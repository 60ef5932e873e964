"""The zones at the DNS provider, their records, and the tokens that may work on them."""

import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

# Where the names of a record that is behind the provider's proxy lead: into its published ranges.
EDGE = {"A": "104.16.0.1", "AAAA": "2606:4700::1"}


@dataclass(frozen=True)
class Record:
    """A DNS record; it can be seen from `visible` on."""

    name: str
    type: str
    content: str
    ttl: int = 1
    proxied: bool = False
    comment: str | None = None
    tags: tuple[str, ...] = ()
    data: Any = None
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    visible: float = 0.0


@dataclass
class Zone:
    """A domain at the provider."""

    name: str
    status: str = "active"
    publish_delay_seconds: float = 0
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    records: dict[str, Record] = field(default_factory=dict)

    def put(self, record: Record) -> Record:
        """Make or replace a record; what is new in it is seen after the zone's delay."""
        record = replace(record, visible=time.monotonic() + self.publish_delay_seconds)
        self.records[record.id] = record
        return record

    def seen(self, name: str) -> list[Record]:
        """Return the records of a name that the world sees now, a wildcard's where it has none."""
        now = time.monotonic()
        there = [record for record in self.records.values() if record.visible <= now]
        if own := [record for record in there if record.name == name]:
            return own
        if any(record.name.endswith(f".{name}") for record in there):
            return []  # an empty name in between hides a wildcard: RFC 4592, 2.2.2
        parent = name.partition(".")[2]
        return [replace(record, name=name) for record in there if record.name == f"*.{parent}"]


@dataclass
class Token:
    """What a token may do, in which zones (None: in all)."""

    value: str
    zones: tuple[str, ...] | None
    rights: tuple[str, ...] = ("zone:read", "dns_records:read", "dns_records:edit")
    status: str = "active"


class Registry:
    """All zones and tokens, guarded by one lock."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.zones: dict[str, Zone] = {}
        self.tokens: dict[str, Token] = {}

    def zone_of(self, name: str) -> Zone | None:
        """Return the zone that is asked for a name: of several the longest."""
        labels = name.split(".")
        names = (".".join(labels[start:]) for start in range(len(labels)))
        return next((self.zones[name] for name in names if name in self.zones), None)

    def answers(self, name: str, kind: str) -> Iterator[Record]:
        """Yield what the world is answered: records of the type, or the alias instead of them."""
        zone = self.zone_of(name)
        for record in zone.seen(name) if zone else ():
            if record.proxied and kind in EDGE and record.type in (*EDGE, "CNAME"):
                yield replace(record, type=kind, content=EDGE[kind])
            elif record.type == kind or (record.type == "CNAME" and not record.proxied):
                yield record

    def exists(self, name: str) -> bool:
        """Return whether there is anything at or below a name."""
        zone = self.zone_of(name)
        if zone is None:
            return False
        below = any(record.name.endswith(f".{name}") for record in zone.records.values())
        return name == zone.name or below or bool(zone.seen(name))
