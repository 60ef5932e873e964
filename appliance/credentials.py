"""Secrets made once and kept under `/data/credentials`, readable by root alone.

Never prints, logs or replaces one.
"""

import secrets
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from appliance.errors import ConfigurationError, Problem
from appliance.files import write_atomically

CREDENTIALS = Path("/data/credentials")
_BYTES = 32


class Credentials(Mapping[str, str]):
    """Secrets by name; shows no value when printed."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = dict(values)

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Credentials({', '.join(sorted(self._values))})"


def load_or_create(names: Iterable[str], directory: Path = CREDENTIALS) -> Credentials:
    """Read the named secrets, making those that are not there yet.

    Each is on disk before this returns. Raise ConfigurationError if one is there and empty.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory.chmod(0o700)
    values = {}
    for name in names:
        path = directory / name
        if not path.exists():
            write_atomically(path, secrets.token_hex(_BYTES) + "\n", mode=0o600, durable=True)
        values[name] = path.read_text().strip()
        if not values[name]:
            raise ConfigurationError(
                [Problem(str(path), "is empty: restore it from a backup, never make it anew")]
            )
    return Credentials(values)
