"""What a program's lines become before they are in a log. Knows no program and writes nothing."""

import re
import time
from collections.abc import Callable

# Secrets that a URI may hold: nginx says which request it could not pass on.
_SECRET = re.compile(rb"\b((?:access_token|loginToken)=)[^&\s\"']+")
# What would move the cursor or colour the terminal of whoever reads the log, all but the tab.
_CONTROL = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")
_BURST_LINES = 500


def clean(line: bytes) -> bytes:
    """Return a line without secrets, and with control characters written out."""
    line = _SECRET.sub(rb"\1<hidden>", line.removesuffix(b"\r"))
    return _CONTROL.sub(lambda found: rb"\x%02x" % found[0][0], line)


class Budget:
    """How many lines a program may write that strangers can make talk: 500, and one a second."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._left: float = _BURST_LINES
        self._time = clock()
        self._dropped = 0

    def spend(self, lines: list[bytes]) -> list[bytes]:
        """Return those of the lines that are kept, and how many were not when some are again."""
        now = self._clock()
        self._left = min(_BURST_LINES, self._left + now - self._time)
        self._time = now
        count = min(len(lines), int(self._left))
        kept = lines[:count]
        if kept and self._dropped:
            kept.insert(0, b"(lines left out: %d)" % self._dropped)
            self._dropped = 0
        self._left -= count
        self._dropped += len(lines) - count
        return kept
