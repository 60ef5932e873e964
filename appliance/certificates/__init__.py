"""Certificates: from where `MATRIX_TLS_MODE` says to `/run/tls`, where the servers read them.

What is published was judged before and is replaced in one step; a pair that is no good leaves the
one before in place. Part of every boot and run every minute: nothing heavy is imported before
something has changed.
"""

import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from appliance.certificates.publication import Publication, State
from appliance.certificates.source import RENEW_SECONDS, PairError, Source

if TYPE_CHECKING:  # costs more than all the rest
    from appliance.settings import Settings

__all__ = ["PairError", "Publication", "Source", "State", "ensure", "refresh"]

# Longer than a weekend away, shorter than what any usual renewal leaves over.
_WARN_SECONDS = 14 * 86400


def ensure(settings: "Settings") -> bool:
    """Before the servers start: have their certificate published. Return whether it is another.

    Raise OperationError if there is none that they could start with.
    """
    if not settings.tls:
        return False
    publication = Publication()
    before = publication.read_state()
    state = refresh(Source.of(settings), publication)
    publication.write_state(replace(state, served=True))
    for warning in state.describe(time.time()):
        sys.stderr.write(f"appliance: warning: {warning}\n")
    return before is None or before.published != state.published


def refresh(source: Source, publication: Publication, now: float | None = None) -> State:
    """Publish anew if the source has changed or its certificate is due. Return how it stands.

    Raise PairError if it is no good and nothing was published before.
    """
    now = time.time() if now is None else now
    before = publication.read_state()
    if before and before.stamp == source.stamp() and not before.due(now):
        return before
    from appliance.certificates import pair

    try:
        _prepare(source, now)
        judged = pair.judge(source)
    except PairError as error:
        if before is None:
            raise
        after = replace(before, stamp=source.stamp(), problem=str(error))
    else:
        published = publication.publish(judged.chain, judged.key, source.authority)
        after = State(
            stamp=source.stamp(),
            published=published,
            not_after=judged.not_after,
            warn_at=judged.not_after - _warn_seconds(judged.not_after - judged.not_before),
            renew_at=judged.not_after - RENEW_SECONDS if source.renewable else None,
            warnings=judged.warnings,
            served=before is not None and before.served and before.published == published,
        )
    publication.write_state(after)
    return after


def _warn_seconds(lifetime: float) -> float:
    """Return how long before its end a certificate should have been renewed, however short."""
    return min(_WARN_SECONDS, lifetime / 5)


def _prepare(source: Source, now: float) -> None:
    """Have a certificate where the source says: the one place where the modes differ."""
    match source.mode:
        case "files":
            pass  # the owner puts it there
        case "self-signed":
            from appliance.certificates import authority

            authority.ensure_certificate(source, now)
        case _:
            raise ValueError(source.mode)
