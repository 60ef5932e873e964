"""When the authority is asked next, kept beside the certificates so that a restart changes nothing.

Decides from numbers alone; asks nobody.
"""

import json
import random
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Self

from appliance.certificates.source import Order
from appliance.files import write_atomically

_MINUTE, _HOUR = 60.0, 3600.0
# After the first failure, the second …; the last one for ever.
_WAITS = (1 * _MINUTE, 5 * _MINUTE, 15 * _MINUTE, 1 * _HOUR, 3 * _HOUR, 6 * _HOUR)
_USUAL = 12 * _HOUR
_SOON = 1 * _HOUR
# A certificate of some hours, as authorities of one's own issue, cannot wait for that.
_LOOKS_PER_LIFETIME = 12
_SPREAD = 0.1
_FILE = "schedule.json"


@dataclass(frozen=True)
class Schedule:
    """What came of the last attempt, and when the next one is due."""

    fingerprint: str = ""
    """Of what was asked for then."""
    failures: int = 0
    """In a row."""
    next_at: float = 0
    not_before: float = 0
    """The authority's own word: no attempt before that, whatever changed meanwhile."""
    problem: str = ""
    last_at: float = 0
    slow_dns: bool = False
    """Whether a record was not found in time, as it may be again."""
    remarks: tuple[str, ...] = ()
    """What came up although it went well."""

    def due(self, fingerprint: str, now: float) -> bool:
        """Return whether to ask now: it is time, or something else is asked for."""
        if now < self.not_before and not self._absurd(self.not_before, now):
            return False
        changed = fingerprint != self.fingerprint
        return changed or now >= self.next_at or self._absurd(self.next_at, now)

    def _absurd(self, moment: float, now: float) -> bool:
        """Return whether a moment cannot have been meant: the clock was wrong when it was noted."""
        return now < self.last_at - _HOUR or moment - now > 30 * 24 * _HOUR

    def succeed(
        self,
        fingerprint: str,
        now: float,
        lifetime_seconds: float,
        remarks: tuple[str, ...] = (),
        *,
        soon: bool = False,
    ) -> Self:
        """Return what follows from a success; `soon`: what was left out may come at any time."""
        usual = min(_SOON if soon else _USUAL, lifetime_seconds / _LOOKS_PER_LIFETIME)
        spread = random.uniform(1 - _SPREAD, 1 + _SPREAD)  # noqa: S311 - to spread load
        return type(self)(
            fingerprint=fingerprint,
            next_at=now + usual * spread,
            last_at=now,
            slow_dns=self.slow_dns,
            remarks=remarks,
        )

    def fail(
        self,
        fingerprint: str,
        now: float,
        problem: str,
        *,
        retry_at: float | None = None,
        slow_dns: bool = False,
    ) -> Self:
        """Return what follows from a failure; the authority may have said when to come back."""
        failures = self.failures + 1 if fingerprint == self.fingerprint else 1
        wait = _WAITS[min(failures, len(_WAITS)) - 1]
        return replace(
            self,
            fingerprint=fingerprint,
            failures=failures,
            next_at=max(now + wait, retry_at or 0),
            not_before=retry_at or 0,
            problem=problem,
            last_at=now,
            slow_dns=self.slow_dns or slow_dns,
        )

    def after_boot(self, now: float) -> Self:
        """Return it with what was not all well looked at soon: a restart may have mended it."""
        if not (self.failures or self.remarks):
            return self
        return replace(self, next_at=max(min(self.next_at, now + _WAITS[0]), self.not_before))


def load(order: Order) -> Schedule:
    """Return what was kept, and the schedule of somebody who never asked where there is nothing."""
    try:
        values = json.loads((Path(order.directory) / _FILE).read_text())
        return Schedule(**{**values, "remarks": tuple(values["remarks"])})
    except (OSError, ValueError, TypeError, KeyError):
        return Schedule()


def save(order: Order, schedule: Schedule) -> None:
    """Keep it."""
    text = json.dumps(asdict(schedule), indent=1) + "\n"
    write_atomically(Path(order.directory) / _FILE, text, mode=0o600)
