"""The addresses of this machine, as the kernel tells them in /proc. Sends nothing.

Source: fib_trie and if_inet6 in the Linux kernel, `net/ipv4/fib_trie.c`, `net/ipv6/addrconf.c`.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_interface
from pathlib import Path

from appliance.endpoint import Address
from appliance.public_address import route

Network = IPv4Network | IPv6Network

# linux/if_addr.h: duplicate of another machine's, or not yet known not to be.
_UNUSABLE = 0x08 | 0x40


@dataclass(frozen=True)
class LocalAddress:
    """An address of this machine and the network that it is in."""

    address: Address
    network: Network


def read_addresses(proc: Path = Path("/proc/net")) -> tuple[LocalAddress, ...]:
    """Return the addresses to which others can send, IPv4 first; those of one link not at all."""
    return (*_read_ipv4(proc / "fib_trie"), *_read_ipv6(proc / "if_inet6"))


def find_source(version: int) -> Address | None:
    """Return the lasting address that leads out, None where no way does."""
    own = route.find_own_address(version)
    return route.find_lasting_address(own) if own else None


def _read_ipv4(file: Path) -> list[LocalAddress]:
    """Take them from the routing table, which does not tell their networks' sizes."""
    found = re.findall(r"\|-- ([\d.]+)\n\s+/32 host LOCAL", file.read_text())
    return [LocalAddress(IPv4Address(text), IPv4Network(text)) for text in dict.fromkeys(found)]


def _read_ipv6(file: Path) -> list[LocalAddress]:
    if not file.exists():
        return []
    found = []
    for line in file.read_text().splitlines():
        digits, _, prefix, _, flags, _ = line.split()
        interface = ip_interface((bytes.fromhex(digits), int(prefix, 16)))
        if not interface.ip.is_link_local and not int(flags, 16) & _UNUSABLE:
            found.append(LocalAddress(interface.ip, interface.network))
    return found
