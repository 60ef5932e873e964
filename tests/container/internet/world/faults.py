"""What goes wrong on purpose, and what was asked: both by host and a pattern of the call."""

import re
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass
class Fault:
    """Something that happens to calls that match, `times` times or until it is taken away."""

    host: str
    match: str
    """Regular expression that is searched in `METHOD /path?query` (`TYPE name` for DNS)."""
    times: int | None = None
    status: int | None = None
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_seconds: float = 0
    drop: bool = False
    hold: bool = False
    """Whether what it happens to goes on only when it is taken away."""
    id: int = 0
    gone: threading.Event = field(default_factory=threading.Event)


class Faults:
    """The faults in force."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: dict[int, Fault] = {}
        self._last = 0

    def add(self, **values: Any) -> int:
        """Put a fault in force and return its number."""
        with self._lock:
            self._last += 1
            self._faults[self._last] = Fault(**values, id=self._last)
            return self._last

    def remove(self, number: int) -> None:
        """Take a fault away; one that is used up is gone already."""
        with self._lock:
            if fault := self._faults.pop(number, None):
                fault.gone.set()

    def take(self, host: str, call: str) -> Fault | None:
        """Return the fault that happens to a call, and count it."""
        with self._lock:
            for fault in self._faults.values():
                if fault.host == host and re.search(fault.match, call):
                    if fault.times is not None:
                        fault.times -= 1
                        if fault.times <= 0:
                            del self._faults[fault.id]
                    return fault
        return None


@dataclass(frozen=True)
class Call:
    """Something that was asked; without status where the connection was broken off."""

    time: float
    host: str
    call: str
    status: int | None


class CallLog:
    """Every call, oldest first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: list[Call] = []

    def note(self, host: str, call: str, status: int | None) -> None:
        """Write a call down."""
        with self._lock:
            self._calls.append(Call(time.time(), host, call, status))

    def find(self, host: str, match: str) -> list[dict[str, Any]]:
        """Return the calls of a host that match."""
        with self._lock:
            calls = list(self._calls)
        return [asdict(call) for call in calls if call.host == host and re.search(match, call.call)]
