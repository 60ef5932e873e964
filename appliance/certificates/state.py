"""How the published certificate stands, as everybody may read it; no secret is in it."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from appliance.certificates.facts import Facts
from appliance.certificates.source import Stamp


@dataclass(frozen=True)
class State:
    """What is published, what the owner should know of it, and what happens next."""

    stamp: Stamp
    published: str
    """Name of the pair below `/run/tls`."""
    facts: Facts
    warn_at: float
    """When whoever renews it should have done so."""
    renew_at: float | None = None
    """When it is to be made anew, where that is a matter of the clock alone."""
    placeholder: bool = False
    """Whether it only stands in for one that is still to come."""
    warnings: tuple[str, ...] = ()
    problem: str = ""
    """Why there is none newer."""
    damaged: bool = False
    """Whether that is because the pair at its source cannot be used."""
    remarks: tuple[str, ...] = ()
    """What came up when the authority was asked, and was no failure."""
    next_at: float | None = None
    """When the authority is asked next."""
    served: bool = False
    """Whether every service was seen to serve it."""

    def due(self, now: float) -> bool:
        """Return whether it is time to renew it."""
        return self.renew_at is not None and now >= self.renew_at

    def settled(self, now: float) -> bool:
        """Return whether nothing is to be done about it before the next look."""
        waits = self.next_at is None or now < self.next_at
        return waits and not (self.placeholder or self.problem or self.due(now))

    def describe(self, now: float) -> Iterator[str]:
        """Yield everything that is not as it should be."""
        if self.placeholder:
            if self.problem:
                yield f"{self.problem}. A placeholder is served, which nobody trusts"
            return
        if self.problem:
            end = format_day(self.facts.not_after)
            yield f"{self.problem}. The certificate before it stays in use, good until {end}"
        remedy = "" if self.next_at else ": replace it"
        if now >= self.facts.not_after:
            yield f"the certificate expired on {format_day(self.facts.not_after)}{remedy}"
        elif now >= self.warn_at:
            yield f"the certificate expires on {format_day(self.facts.not_after)}{remedy}"
        explained = [remark.partition(" ")[0] for remark in self.remarks]
        for warning in self.warnings:
            if not any(f"is not for {name}:" in warning for name in explained):
                yield warning
        yield from self.remarks

    def headline(self) -> str:
        """Return what is served, and what comes next, in few words."""
        what = (
            "a placeholder"
            if self.placeholder
            else f"good until {format_day(self.facts.not_after)}"
        )
        return f"{what}, next looked at {format_time(self.next_at)}" if self.next_at else what

    def summarize(self, now: float) -> str:
        """Return all of that, or how well it is, in one line."""
        if said := "; ".join(self.describe(now)):
            return said
        if self.placeholder:
            return "a placeholder is served while the authority is being asked"
        return f"good until {format_day(self.facts.not_after)}"

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Given what was read of JSON, return the state."""
        facts = Facts.from_dict(values["facts"])
        stamp = tuple(tuple(one) if one else None for one in values["stamp"])
        lists = {name: tuple(values[name]) for name in ("warnings", "remarks")}
        return cls(**{**values, **lists, "stamp": stamp, "facts": facts})

    def to_dict(self) -> dict[str, Any]:
        """Return it as what JSON can hold."""
        return asdict(self)


def format_time(moment: float) -> str:
    """Return a moment as it is written in a sentence."""
    return time.strftime("%d %B %Y, %H:%M UTC", time.gmtime(moment))


def format_day(moment: float) -> str:
    """Return a day as it is written in a sentence."""
    return time.strftime("%d %B %Y", time.gmtime(moment))
