"""The addresses that no user may reach through the relay, in the form that coturn 4.6.1 can hold.

It compares IPv6 addresses byte by byte, each byte between those of the two bounds, and takes a
lower bound of `::` for every address of either family. So a range is sound only where the bounds
share a prefix, followed by nothing but 00 below and ff above, and the lower is not `::`. A range
it cannot read it leaves out, and runs: every range is tested against the running relay.
"""

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network, IPv6Address, IPv6Network

Bounds = tuple[str, str]

# IANA's registries of special-purpose addresses, and multicast.
IPV4 = (
    *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
    *("172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24"),
    *("192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15"),
    *("198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
)
# Within 2000::/3, the only range for the public so far: protocols, documentation, 6to4.
IPV6_WITHIN_PUBLIC = ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")


def denied() -> tuple[Bounds, ...]:
    """Return every range that is not public."""
    return (
        *(bounds(IPv4Network(text)) for text in IPV4),
        *_below_256(),
        # 0100:: to 1fff:…, and all from 4000:: on: unique local, link-local, multicast.
        ("100::", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("4000::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        *(bounds(IPv6Network(text)) for text in IPV6_WITHIN_PUBLIC),
    )


def bounds(network: IPv4Network | IPv6Network) -> Bounds:
    """Return the first and the last address of a network."""
    return str(network[0]), str(network[-1])


def all_bounds(networks: Iterable[IPv4Network | IPv6Network]) -> tuple[Bounds, ...]:
    """Return the bounds of each."""
    return tuple(bounds(network) for network in networks)


def _below_256() -> Iterator[Bounds]:
    """Yield ::/8 without `::` itself: loopback, mapped, compatible and translated addresses.

    In one range the lower bound would be `::`; so one for each place of the first byte that is
    not zero.
    """
    for place in range(1, 16):
        first = IPv6Address(bytes(place) + b"\x01" + bytes(15 - place))
        last = IPv6Address(b"\0" + b"\xff" * 15)
        yield str(first), str(last)
