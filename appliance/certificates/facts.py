"""What is known of a certificate once it was read, as data: no cryptography is needed to use it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True)
class Facts:
    """A certificate as the owner would describe it."""

    names: tuple[str, ...]
    issuer: str
    serial: str
    """In hexadecimal, as browsers show it."""
    not_before: float
    not_after: float
    whole: bool
    """Whether its chain needs no other certificate."""
    self_signed: bool = False
    """Whether it is its own authority: who trusts it today need not do so tomorrow."""

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Given what was read of JSON, return the facts."""
        return cls(**{**values, "names": tuple(values["names"])})

    def doubts(self, hosts: Sequence[str]) -> Iterator[str]:
        """Yield what is less than perfect for a server of these hosts."""
        for host in hosts:
            if not any(covers(name, host) for name in self.names):
                yield f"is not for {host}: browsers and apps refuse it there"
        if not self.whole:
            yield (
                "holds no intermediate certificate: many clients and servers need it (use the "
                "file with the full chain)"
            )


@dataclass(frozen=True)
class Pair:
    """A chain and its key (PEM) that a server can use."""

    chain: str
    key: str
    facts: Facts


def covers(name: str, host: str) -> bool:
    """Return whether a name of a certificate is this host's. Source: RFC 6125, section 6.4.3."""
    return name == host or (name.startswith("*.") and host.partition(".")[2] == name[2:])
