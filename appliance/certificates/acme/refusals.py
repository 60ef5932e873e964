"""Names that the authority did not find here: not asked for again before something has changed.

A failed proof counts against the authority's limits. Kept beside the certificates.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from appliance.files import write_atomically

_FILE = "refused.json"
_PATIENCE_SECONDS = 86400


@dataclass(frozen=True)
class Refusal:
    """What the authority said of a name, and where that name led then."""

    addresses: tuple[str, ...]
    detail: str
    time: float

    def holds(self, addresses: tuple[str, ...], now: float) -> bool:
        """Return whether the authority would say the same."""
        recent = 0 <= now - self.time < _PATIENCE_SECONDS
        return recent and sorted(addresses) == sorted(self.addresses)


def load(directory: Path) -> dict[str, Refusal]:
    """Return what was kept, nothing where it cannot be read."""
    try:
        rows = json.loads((directory / _FILE).read_text())
        return {
            name: Refusal(**{**row, "addresses": tuple(row["addresses"])})
            for name, row in rows.items()
        }
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}


def note(directory: Path, asked: Mapping[str, tuple[str, ...]], refused: Mapping[str, str]) -> None:
    """Keep which of the names that were asked for were refused; `asked`: where each led."""
    kept = {name: one for name, one in load(directory).items() if name not in asked}
    now = time.time()
    new = {name: Refusal(asked[name], detail, now) for name, detail in refused.items()}
    rows = {name: asdict(refusal) for name, refusal in (kept | new).items()}
    write_atomically(directory / _FILE, json.dumps(rows, indent=1) + "\n", mode=0o600)
