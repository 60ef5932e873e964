"""The address of this machine for the world, one of each family: what is known, and since when.

`load` is for whoever needs it (DNS, coturn, LiveKit); the agent's job alone finds out and keeps it.
Nobody waits for it: at a first boot nothing is known yet.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

from appliance.endpoint import Address
from appliance.paths import PUBLIC_ADDRESS, PUBLIC_ADDRESS_REMEMBERED

if TYPE_CHECKING:
    from appliance.settings import Settings

VARIABLE = "MATRIX_PUBLIC_IP"


@dataclass(frozen=True)
class Known:
    """An address, who said so, and when last (seconds since 1970; None: the owner, always)."""

    address: Address
    source: str
    """`MATRIX_PUBLIC_IP`, `the default route`, or the STUN server that was believed."""
    when: float | None = None
    obstacle: str = ""
    """Why nobody from the world gets through to it, where that is known."""

    def __str__(self) -> str:
        return f"{self.address} ({self.source})"


@dataclass(frozen=True)
class PublicAddresses:
    """What is known of this machine's public address; a family may have none."""

    ipv4: Known | None = None
    ipv6: Known | None = None
    warnings: tuple[str, ...] = ()
    """What the owner should know of them, such as servers that disagree."""

    @property
    def known(self) -> tuple[Known, ...]:
        """Return those there are, IPv4 first."""
        return tuple(one for one in (self.ipv4, self.ipv6) if one)

    @property
    def addresses(self) -> tuple[Address, ...]:
        """Return the addresses alone, IPv4 first."""
        return tuple(one.address for one in self.known)

    @classmethod
    def of(cls, known: Iterable[Known], warnings: Iterable[str] = ()) -> "PublicAddresses":
        """Given at most one of each family, return them."""
        by_family = {one.address.version: one for one in known}
        return cls(by_family.get(4), by_family.get(6), tuple(warnings))

    @classmethod
    def from_json(cls, text: str) -> "PublicAddresses":
        """Given what `to_json` returned, return the same again. Raise ValueError if it is not."""
        try:
            values = json.loads(text)
            return cls(
                _read(values["ipv4"]),
                _read(values["ipv6"]),
                tuple(str(one) for one in values["warnings"]),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"not public addresses: {error!r}") from error

    def to_json(self) -> str:
        """Return it as text."""
        return json.dumps(asdict(self), indent=1, default=str) + "\n"


def load(
    settings: "Settings",
    *,
    found: str = PUBLIC_ADDRESS,
    remembered: str = PUBLIC_ADDRESS_REMEMBERED,
) -> PublicAddresses:
    """Return what is known now: what the owner named, else what the job found last.

    Before it has found something in this container, what it found in the one before: the file is
    the agent's, so whoever reads it as root must not trust more than the address in it.
    """
    if not settings.follows_public_ip:
        return PublicAddresses.of(Known(one, VARIABLE) for one in settings.given_public_ips)
    return find(found=found, remembered=remembered) or PublicAddresses()


def find(
    *, found: str = PUBLIC_ADDRESS, remembered: str = PUBLIC_ADDRESS_REMEMBERED
) -> PublicAddresses | None:
    """Return what the job found last, in this container or the one before; None if nothing."""
    return read(found) or read(remembered)


def read(path: str) -> PublicAddresses | None:
    """Return what a file holds, None if there is none or it is damaged."""
    try:
        return PublicAddresses.from_json(Path(path).read_text())
    except (OSError, ValueError):
        return None


def _read(value: dict[str, Any] | None) -> Known | None:
    if value is None:
        return None
    when = value["when"]
    return Known(
        ip_address(str(value["address"])),
        str(value["source"]),
        float(when) if when else None,
        str(value.get("obstacle", "")),
    )
