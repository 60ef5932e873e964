"""The list as coturn 4.6.1 compares it; the running relay is asked in tests/container."""

import random
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest

from appliance.turn import peers


def packed(*addresses: IPv4Address | IPv6Address) -> list[bytes]:
    return [address.packed for address in addresses]


def is_denied(text: str) -> bool:
    """Compare as coturn 4.6.1 does: IPv4 as numbers, IPv6 byte by byte."""
    address = ip_address(text)
    for lower, upper in peers.denied():
        low, high = ip_address(lower), ip_address(upper)
        if low.version != address.version:
            continue
        if isinstance(address, IPv4Address):
            if int(low) <= int(address) <= int(high):
                return True
        elif all(a <= b <= c for a, b, c in zip(*packed(low, address, high), strict=True)):
            return True
    return False


def test_no_lower_bound_is_one_that_coturn_takes_for_everything() -> None:
    assert not {"::"} & {lower for lower, _ in peers.denied()}


@pytest.mark.parametrize(
    "network",
    [
        *peers.IPV4,
        *("::1/128", "::ffff:0:0/96", "64:ff9b::/96", "100::/64", "2001:db8::/32", "2002::/16"),
        *("fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8", "3fff::/20", "2001::/23", "5f00::/16"),
    ],
)
def test_an_address_that_is_not_public_is_denied(network: str) -> None:
    whole = ip_network(network)
    chance = random.Random(network)  # noqa: S311
    places = {0, whole.num_addresses - 1, *(1 << bit for bit in range(128))}
    places |= {chance.randrange(whole.num_addresses) for _ in range(50)}
    for place in places:
        if place < whole.num_addresses:
            assert is_denied(str(whole[place])), whole[place]


def test_public_addresses_are_not() -> None:
    chance = random.Random(1)  # noqa: S311
    private = [ip_network(one) for one in peers.IPV4]
    for _ in range(500):
        address = IPv4Address(chance.getrandbits(32))
        assert is_denied(str(address)) == any(address in one for one in private)
        public = IPv6Address((0x26 << 120) | chance.getrandbits(120))
        assert not is_denied(str(public))
