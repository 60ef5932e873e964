"""Secrets made once and kept under `/data/credentials`, readable by root alone.

Never prints, logs or replaces one.
"""

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from appliance.errors import Problem
from appliance.files import make_private_directory, write_atomically

CREDENTIALS = Path("/data/credentials")


def make_secret() -> str:
    """Return 256 random bits in hexadecimal."""
    return secrets.token_hex(32)


@dataclass(frozen=True)
class Credential:
    """A secret that a part needs: its name is its file's, `make` gives its first value.

    One that is `irreplaceable` is never made anew once the server has an identity.
    """

    name: str
    make: Callable[[], str] = make_secret
    irreplaceable: bool = False


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


def problems(
    wanted: Iterable[Credential], *, first_boot: bool, directory: Path = CREDENTIALS
) -> Iterator[Problem]:
    """Yield the secrets that are lost or unreadable."""
    for credential in wanted:
        path = directory / credential.name
        if not path.exists():
            if credential.irreplaceable and not first_boot:
                yield Problem(
                    str(path),
                    "is missing, and this server cannot be itself without it: restore it from a "
                    "backup",
                )
        elif not path.read_text().strip():
            yield Problem(str(path), "is empty: restore it from a backup")


def find(name: str, directory: Path = CREDENTIALS) -> str | None:
    """Return a secret if it has been made."""
    path = directory / name
    return path.read_text().strip() if path.exists() else None


def load(wanted: Iterable[Credential], directory: Path = CREDENTIALS) -> Credentials:
    """Read the secrets; one that is not made yet is a placeholder. Writes nothing."""
    found = {credential.name: find(credential.name, directory) for credential in wanted}
    return Credentials(
        {
            name: "(made at the first boot)" if value is None else value
            for name, value in found.items()
        }
    )


def load_or_create(wanted: Iterable[Credential], directory: Path = CREDENTIALS) -> Credentials:
    """Read the secrets, making those that are not there. Each is on disk before this returns."""
    wanted = tuple(wanted)
    make_private_directory(directory)
    for credential in wanted:
        path = directory / credential.name
        if not path.exists():
            write_atomically(path, credential.make() + "\n", mode=0o600, durable=True)
    return load(wanted, directory)
