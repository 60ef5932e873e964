"""The address that this machine itself sends from: what the default route says, without sending.

Reads the kernel's tables; asks nobody.
"""

import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

from appliance.endpoint import Address

# Somewhere behind the default route, for each family: addresses of documentation (RFC 5737, 3849).
_FAR_AWAY = {4: ("192.0.2.1", socket.AF_INET), 6: ("2001:db8::1", socket.AF_INET6)}
_INTERFACE_ADDRESSES = Path("/proc/net/if_inet6")
# Source: linux/if_addr.h.
_TEMPORARY, _NOT_USABLE = 0x01, 0x20 | 0x40 | 0x08


@dataclass(frozen=True)
class InterfaceAddress:
    """An IPv6 address of an interface, as the kernel lists it."""

    address: IPv6Address
    interface: str
    flags: int

    @property
    def stays(self) -> bool:
        """Whether it is usable and not one that is replaced every day for privacy (RFC 8981)."""
        return not self.flags & (_TEMPORARY | _NOT_USABLE)


def find_own_address(version: int) -> Address | None:
    """Return the address from which this machine sends to the world, None without a route."""
    far_away, family = _FAR_AWAY[version]
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as unsent:
            unsent.connect((far_away, 9))
            return ip_address(unsent.getsockname()[0].partition("%")[0])
    except OSError:
        return None


def find_lasting_address(own: Address, listing: Path = _INTERFACE_ADDRESSES) -> Address:
    """Given an own IPv6 address, return one of the same network that stays, if there is one.

    A machine with privacy extensions sends from an address that is another tomorrow; it is
    reached at both.
    """
    if isinstance(own, IPv4Address) or not listing.exists():
        return own
    all_of_them = parse_listing(listing.read_text())
    current = next((one for one in all_of_them if one.address == own), None)
    if current is None or current.stays:
        return own
    for one in all_of_them:
        same_network = one.address.packed[:8] == own.packed[:8]
        if one.stays and one.interface == current.interface and same_network:
            return one.address
    return own


def parse_listing(text: str) -> list[InterfaceAddress]:
    """Given /proc/net/if_inet6 (address, index, prefix, scope, flags, name), return its rows."""
    rows = (line.split() for line in text.splitlines())
    return [
        InterfaceAddress(IPv6Address(bytes.fromhex(row[0])), row[5], int(row[4], 16))
        for row in rows
    ]
