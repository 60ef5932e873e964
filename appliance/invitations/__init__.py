"""Invitations: a registration token of Synapse's, and the link to the page that asks for it.

What Synapse does not keep of them is in a file that holds no token, only their digests.
"""

import grp
import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from appliance.files import write_atomically
from appliance.paths import INVITATIONS

# As long as Synapse keeps a registration that was begun (synapse/handlers/auth.py).
_GRACE_SECONDS = 2 * 86400


@dataclass(frozen=True)
class Note:
    """What is kept of an invitation: whom it is for, and whether it makes an administrator."""

    name: str = ""
    admin: bool = False
    expires: int | None = None

    def makes_admin(self, now: float) -> bool:
        """Return whether who registers by it now becomes an administrator."""
        # Who began in time may end a little later.
        return self.admin and (self.expires is None or now < self.expires + _GRACE_SECONDS)


def digest(token: str) -> str:
    """Return what a token is known by where it must not be readable."""
    return hashlib.sha256(token.encode()).hexdigest()


class Notes:
    """The notes of every invitation, by the digests of their tokens. Root writes them."""

    def __init__(self, path: Path = Path(INVITATIONS)) -> None:
        self._path = path

    def read(self) -> dict[str, Note]:
        """Return every note; none if nobody has been invited yet."""
        try:
            rows = json.loads(self._path.read_text())
        except FileNotFoundError:
            return {}
        return {key: Note(**row) for key, row in rows.items()}

    def find(self, token: str) -> Note:
        """Return the note of a token, an empty one if it has none."""
        return self.read().get(digest(token), Note())

    def add(self, token: str, note: Note) -> None:
        """Keep the note of a new token."""
        self._write({**self.read(), digest(token): note})

    def keep_only(self, tokens: Iterable[str]) -> None:
        """Forget the notes of all tokens but these."""
        notes, digests = self.read(), {digest(token) for token in tokens}
        kept = {key: note for key, note in notes.items() if key in digests}
        if kept != notes:
            self._write(kept)

    def _write(self, notes: dict[str, Note]) -> None:
        text = json.dumps({key: asdict(note) for key, note in notes.items()}, indent=1) + "\n"
        # Synapse reads it, and alone: who becomes an administrator is in it.
        group = grp.getgrnam("synapse").gr_gid
        write_atomically(self._path, text, mode=0o640, group=group, durable=True)
