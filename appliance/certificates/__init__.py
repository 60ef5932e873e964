"""Certificates: from where `MATRIX_TLS_MODE` says to `/run/tls`, where the servers read them.

What is published was judged before and is replaced in one step; a pair that is no good leaves the
one before in place. Part of every boot and run every minute: nothing heavy is imported before
something has changed.
"""

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from appliance.certificates.facts import Pair
from appliance.certificates.publication import Publication
from appliance.certificates.service import TlsService
from appliance.certificates.source import RENEW_SECONDS, PairError, Source
from appliance.certificates.state import State

if TYPE_CHECKING:  # costs more than all the rest
    from appliance.settings import Settings

__all__ = ["PairError", "Publication", "Source", "State", "TlsService", "ensure", "refresh"]

# Longer than a weekend away, shorter than what any usual renewal leaves over.
_WARN_SECONDS = 14 * 86400


def ensure(settings: "Settings", services: Sequence[TlsService]) -> bool:
    """Before the servers start: have their certificate published. Return whether it is another.

    Raise OperationError if there is none that they could start with.
    """
    if not settings.tls:
        return False
    publication = Publication()
    before = publication.read_state()
    source = Source.of(settings, services)
    state = replace(refresh(source, publication), served=False)  # nobody has seen it yet
    if source.order:
        from appliance.certificates.acme import upkeep

        state = upkeep.resume(source.order, state)
    publication.write_state(state)
    return before is None or before.published != state.published


def refresh(source: Source, publication: Publication, now: float | None = None) -> State:
    """Publish anew if the source has changed or its certificate is due. Return how it stands.

    Raise PairError if it is no good and nothing was published before.
    """
    now = time.time() if now is None else now
    before = publication.read_state()
    if before and before.stamp == source.stamp() and not before.due(now):
        return before
    try:
        pair = _obtain(source, now)
    except PairError as error:
        if before is None and source.order is None:
            raise
        if before is None:
            before = _publish_placeholder(source, publication, now)
        after = replace(before, stamp=source.stamp(), problem=str(error), damaged=True)
    else:
        if pair:
            after = _publish(pair, source, publication, before)
        elif before:
            after = replace(before, stamp=source.stamp(), problem="", damaged=False)
        else:
            after = _publish_placeholder(source, publication, now)
    publication.write_state(after)
    return after


def _obtain(source: Source, now: float) -> Pair | None:
    """Return the pair of a source, None where it has yet to be issued. Raise PairError.

    The one place where the modes differ.
    """
    match source.mode:
        case "files":  # the owner puts it there
            from appliance.certificates import pair
        case "self-signed":
            from appliance.certificates import authority, pair

            authority.ensure_certificate(source, now)
        case "acme":
            from appliance.certificates import kept

            if source.stamp() == (None, None):
                from appliance.certificates import borrowed

                return borrowed.borrow(source, now)
            return kept.load(source, Path(source.certificate).with_name("judged.json"))
        case _:
            raise ValueError(source.mode)
    return pair.judge(source)


def _publish(pair: Pair, source: Source, publication: Publication, before: State | None) -> State:
    facts = pair.facts
    lasting = source.lasting and not facts.self_signed
    published = publication.publish(
        pair, _groups(source), lasting=lasting, authority=source.authority
    )
    return State(
        stamp=source.stamp(),
        published=published,
        facts=facts,
        warn_at=facts.not_after - _warn_seconds(facts.not_after - facts.not_before),
        renew_at=facts.not_after - RENEW_SECONDS if source.authority else None,
        warnings=tuple(f"{source.certificate}: {doubt}" for doubt in facts.doubts(source.hosts)),
        served=before is not None and before.served and before.published == published,
    )


def _publish_placeholder(source: Source, publication: Publication, now: float) -> State:
    from appliance.certificates.placeholder import make_placeholder

    pair = make_placeholder(source.hosts, now)
    return State(
        stamp=source.stamp(),
        published=publication.publish(pair, _groups(source), lasting=False),
        facts=pair.facts,
        warn_at=pair.facts.not_after,
        placeholder=True,
    )


def _groups(source: Source) -> tuple[str, ...]:
    return tuple(dict.fromkeys(service.group for service in source.services))


def _warn_seconds(lifetime: float) -> float:
    """Return how long before its end a certificate should have been renewed, however short."""
    return min(_WARN_SECONDS, lifetime / 5)
