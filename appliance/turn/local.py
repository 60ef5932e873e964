"""The addresses of this machine, as the kernel tells them in /proc. Sends nothing.

Source: fib_trie and if_inet6 in the Linux kernel, `net/ipv4/fib_trie.c`, `net/ipv6/addrconf.c`.
"""

import contextlib
import re
import socket
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_interface,
)
from pathlib import Path

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# linux/if_addr.h: temporary, failed, deprecated, tentative.
_UNSTEADY = 0x01 | 0x08 | 0x20 | 0x40
_UNUSABLE = 0x08 | 0x40
# Addresses that nobody has (RFC 5737, RFC 3849): towards them the default route leads.
_ANYWHERE = {4: "192.0.2.1", 6: "2001:db8::1"}


@dataclass(frozen=True)
class LocalAddress:
    """An address of this machine and the network that it is in."""

    address: Address
    network: Network
    steady: bool = True
    """Not one that privacy extensions replace every day."""


def read_addresses(proc: Path = Path("/proc/net")) -> tuple[LocalAddress, ...]:
    """Return the addresses to which others can send, IPv4 first; those of one link not at all."""
    return (*_read_ipv4(proc / "fib_trie"), *_read_ipv6(proc / "if_inet6"))


def find_source(version: int) -> Address | None:
    """Return the address from which this machine reaches the internet, None where it does not."""
    family = socket.AF_INET if version == 4 else socket.AF_INET6
    with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.connect((_ANYWHERE[version], 9))  # sends nothing, UDP
        return ip_address(probe.getsockname()[0])
    return None


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
        if interface.ip.is_link_local or int(flags, 16) & _UNUSABLE:
            continue
        steady = not int(flags, 16) & _UNSTEADY
        found.append(LocalAddress(interface.ip, interface.network, steady))
    return found
