"""Secrets that people read aloud and type: passwords and tokens made for them."""

import secrets

# Without letters and digits that look alike.
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
_GROUPS = 4
_GROUP_LENGTH = 5


def make_code() -> str:
    """Return 100 random bits as four groups of five letters and digits."""
    return "-".join(
        "".join(secrets.choice(_ALPHABET) for _ in range(_GROUP_LENGTH)) for _ in range(_GROUPS)
    )
