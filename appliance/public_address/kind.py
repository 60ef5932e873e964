"""What kind of address an address is, worded for the owner. Asks nobody."""

from ipaddress import IPv4Address, IPv6Address, ip_network

from appliance.endpoint import Address

# Source: RFC 6598, "Shared Address Space".
_CARRIER_GRADE_NAT = ip_network("100.64.0.0/10")
_UNIQUE_LOCAL = ip_network("fc00::/7")
# Source: RFC 5737 and RFC 3849.
_DOCUMENTATION = tuple(
    map(ip_network, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32"))
)


def is_reachable(address: Address) -> bool:
    """Return whether the world can send to an address at all."""
    return address.is_global and not address.is_multicast


def is_carrier_grade_nat(address: Address) -> bool:
    """Return whether it is one that a provider gives to homes behind its own NAT."""
    return isinstance(address, IPv4Address) and address in _CARRIER_GRADE_NAT


def describe(address: Address) -> str:
    """Given an address that the world cannot send to, return what it is."""
    if is_carrier_grade_nat(address):
        return "an address of carrier-grade NAT: the provider shares one public address among homes"
    if isinstance(address, IPv6Address) and address in _UNIQUE_LOCAL:
        return "an address for use inside a network only"
    if address.is_link_local:
        return "an address for use on one cable only"
    if any(address in network for network in _DOCUMENTATION if network.version == address.version):
        return "an address for examples in texts only"
    if address.is_private:
        return "a private address"
    return "not an address that the world can send to"
