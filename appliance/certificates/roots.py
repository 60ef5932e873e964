"""Root certificates that an owner gives in a file."""

from pathlib import Path


def judge_roots(path: str) -> str | None:
    """Return what is wrong with a file of root certificates."""
    try:
        text = Path(path).read_text()
    except (OSError, UnicodeDecodeError) as error:
        return f"cannot read {path}: {getattr(error, 'strerror', None) or 'is not text'}"
    return None if "-----BEGIN CERTIFICATE-----" in text else f"{path} holds no certificate (PEM)"
