"""`/run/tls`: the pair that servers read, `current` leading to it, and how it stands."""

import grp
import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from appliance.certificates.source import Stamp
from appliance.files import write_atomically
from appliance.paths import TLS


@dataclass(frozen=True)
class State:
    """What is published, and what the owner should know of it."""

    stamp: Stamp
    published: str
    """Name of the pair below `/run/tls`."""
    not_after: float
    warn_at: float
    """When whoever renews it should have done so."""
    renew_at: float | None = None
    warnings: tuple[str, ...] = ()
    problem: str = ""
    """Why a newer pair was not published."""
    served: bool = False
    """Whether nginx was seen to serve it."""

    def due(self, now: float) -> bool:
        """Return whether it is time to renew it."""
        return self.renew_at is not None and now >= self.renew_at

    def describe(self, now: float) -> Iterator[str]:
        """Yield everything that is not as it should be."""
        day = time.strftime("%d %B %Y", time.gmtime(self.not_after))
        if self.problem:
            yield f"{self.problem}. The certificate before it stays in use"
        if now >= self.not_after:
            yield f"the certificate expired on {day}: replace it"
        elif now >= self.warn_at:
            yield f"the certificate expires on {day}: replace it"
        yield from self.warnings

    def summarize(self, now: float) -> str:
        """Return all of that, or until when there is nothing to say, in one line."""
        day = time.strftime("%d %B %Y", time.gmtime(self.not_after))
        return "; ".join(self.describe(now)) or f"good until {day}"


class Publication:
    """The directory of published pairs, readable by one group."""

    def __init__(self, directory: str = TLS, group: str = "nginx") -> None:
        self._directory = Path(directory)
        self._state = self._directory / "state.json"
        self._current = self._directory / "current"
        self._group = group

    @property
    def certificate(self) -> Path:
        """The published chain."""
        return self._current / "fullchain.pem"

    def read_state(self) -> State | None:
        """Return what was written last, None before anything was published."""
        if not self._current.is_symlink() or not self._state.exists():
            return None
        values = json.loads(self._state.read_text())
        stamp = tuple(tuple(one) if one else None for one in values["stamp"])
        return State(**{**values, "stamp": stamp, "warnings": tuple(values["warnings"])})

    def write_state(self, state: State) -> None:
        """Keep it for the next run and for whoever asks."""
        text = json.dumps(asdict(state), indent=2) + "\n"
        write_atomically(self._state, text, mode=0o644)

    def publish(self, chain: str, key: str, authority: str | None = None) -> str:
        """Make a pair the current one in one step; return its name, the same for the same pair."""
        name = hashlib.sha256(f"{chain}\0{key}".encode()).hexdigest()[:16]
        self._directory.mkdir(exist_ok=True)
        self._write_pair(name, chain, key, authority)
        link = self._directory / "current.new"
        link.unlink(missing_ok=True)
        link.symlink_to(name)
        link.replace(self._current)
        for other in self._directory.iterdir():
            if other.is_dir() and not other.is_symlink() and other.name != name:
                shutil.rmtree(other)
        return name

    def _write_pair(self, name: str, chain: str, key: str, authority: str | None) -> None:
        group = grp.getgrnam(self._group).gr_gid
        directory = self._directory / name
        directory.mkdir(exist_ok=True)
        os.chown(directory, 0, group)
        directory.chmod(0o750)
        write_atomically(directory / "privkey.pem", key, mode=0o640, group=group)
        write_atomically(directory / "fullchain.pem", chain, mode=0o644)
        if authority:
            write_atomically(directory / "ca.pem", Path(authority).read_text(), mode=0o644)
