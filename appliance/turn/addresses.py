"""Which addresses the relay listens on, relays from and tells clients. Pure; opens nothing."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv6Network, ip_address

from appliance.endpoint import Address
from appliance.turn.local import LocalAddress, Network


@dataclass(frozen=True)
class Relay:
    """Where calls of one family are relayed.

    At an address of this machine, told to clients as another one where a router stands between.
    """

    local: Address
    public: Address

    @property
    def translated(self) -> bool:
        """Whether clients are told another address than the machine has."""
        return self.local != self.public


@dataclass(frozen=True)
class Addresses:
    """All addresses of one run of the relay."""

    listening: tuple[Address, ...]
    relays: tuple[Relay, ...]
    neighbours: tuple[Network, ...] = ()
    """Public networks that this machine is in: behind the same router as it, so not for users."""


def describe(relays: Iterable[Relay]) -> str:
    """Return relays in words."""
    return ", ".join(
        f"{relay.public} (here {relay.local})" if relay.translated else str(relay.public)
        for relay in relays
    )


def choose(
    asked: Sequence[Address],
    local: Sequence[LocalAddress],
    find_source: Callable[[int], Address | None],
    public: Mapping[int, Address],
) -> Addresses:
    """Given where to listen, what the machine has, and what the internet sees, return the rest.

    `public` has the public address of each family that has one.
    """
    listening = tuple(_listening(asked, local))
    relays = (_choose_relay(version, listening, find_source, public) for version in (4, 6))
    return Addresses(listening, tuple(filter(None, relays)), tuple(_neighbours(local)))


def _listening(asked: Iterable[Address], local: Iterable[LocalAddress]) -> Iterator[Address]:
    """Yield each address by itself: an answer by UDP leaves from the one that was asked."""
    for address in asked:
        if not address.is_unspecified:
            yield address
            continue
        for one in local:
            if one.address.version == address.version:
                yield one.address


def _choose_relay(
    version: int,
    listening: Sequence[Address],
    find_source: Callable[[int], Address | None],
    public: Mapping[int, Address],
) -> Relay | None:
    usable = [address for address in listening if address.version == version]
    if not usable:
        return None
    told = public.get(version)
    if told in usable:
        return Relay(told, told)
    source = find_source(version)
    if source not in usable:  # no way out, or not one of those it may listen on
        beyond = [address for address in usable if not address.is_loopback]
        source = (beyond or usable)[0]
    return Relay(source, told or source)


def _neighbours(local: Iterable[LocalAddress]) -> Iterator[Network]:
    """Yield the public IPv6 networks of this machine, which are not for users.

    Other devices of a home have addresses there that the router hides from the internet, but not
    from us.
    """
    networks = dict.fromkeys(one.network for one in local)
    for network in networks:
        if isinstance(network, IPv6Network) and network.is_global and network.prefixlen < 128:
            yield network


def parse(texts: Iterable[str]) -> tuple[Address, ...]:
    """Given addresses as text, return them."""
    return tuple(ip_address(text) for text in texts)
