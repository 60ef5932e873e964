"""Who serves the published pair: each server with how it is told of a new one, and where to ask."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TlsService:
    """A program that reads `/run/tls/current/GROUP/{fullchain,privkey}.pem`."""

    program: str
    """As supervisor calls it."""
    group: str
    """Who may read its copy of the pair."""
    signal: str
    """Makes it read the pair again, without `SIG`."""
    addresses: tuple[str, ...]
    """`HOST:PORT` at which this machine reaches each of its TLS listeners."""
