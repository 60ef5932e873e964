"""A good certificate of another authority, until the one that is asked now has issued.

Somebody who changes the authority must not be without a certificate meanwhile.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from appliance.certificates import kept
from appliance.certificates.facts import Pair
from appliance.certificates.source import PairError, Source

# Issued for trying out: trusted by nobody.
_WORTHLESS = "staging"


def borrow(source: Source, now: float) -> Pair | None:
    """Return the kept pair of another authority that is good for longest, None if none is."""
    good = [
        pair
        for pair in _others(source)
        if pair.facts.not_after > now and not any(pair.facts.doubts(source.hosts))
    ]
    return max(good, key=lambda pair: pair.facts.not_after, default=None)


def _others(source: Source) -> Iterator[Pair]:
    own = Path(source.require_order().directory)
    for directory in own.parent.glob("*"):
        lineage = directory / "live" / source.domain
        if directory in (own, own.with_name(_WORTHLESS)) or not lineage.is_dir():
            continue
        other = replace(
            source,
            certificate=str(lineage / "fullchain.pem"),
            key=str(lineage / "privkey.pem"),
        )
        try:
            yield kept.load(other, lineage / "judged.json")
        except PairError:
            continue  # nobody asks for it any more
