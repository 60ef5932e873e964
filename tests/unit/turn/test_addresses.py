from ipaddress import ip_address, ip_network

from appliance.endpoint import Address
from appliance.turn.addresses import Relay, choose, describe
from appliance.turn.local import LocalAddress

EVERYWHERE = (ip_address("0.0.0.0"), ip_address("::"))


def here(address: str, prefix: int = 64) -> LocalAddress:
    return LocalAddress(ip_address(address), ip_network(f"{address}/{prefix}", strict=False))


LAN = (here("127.0.0.1", 32), here("192.168.1.5", 32), here("172.17.0.1", 32), here("::1", 128))


def routes(**found: str) -> dict[int, Address]:
    return {int(name[1:]): ip_address(text) for name, text in found.items()}


def test_everywhere_means_each_address_by_itself() -> None:
    chosen = choose(EVERYWHERE, LAN, routes(v4="192.168.1.5").get, {})
    assert [*map(str, chosen.listening)] == ["127.0.0.1", "192.168.1.5", "172.17.0.1", "::1"]


def test_a_relay_is_at_the_address_that_leads_out_and_told_as_the_public_one() -> None:
    public = routes(v4="198.18.0.9")
    chosen = choose(EVERYWHERE[:1], LAN, routes(v4="192.168.1.5").get, public)
    (relay,) = chosen.relays
    assert relay == Relay(ip_address("192.168.1.5"), ip_address("198.18.0.9"))
    assert relay.translated
    assert describe(chosen.relays) == "198.18.0.9 (here 192.168.1.5)"


def test_a_public_address_of_the_machine_itself_needs_no_translation() -> None:
    # Whatever the route says: what is sent to the public address arrives at that one.
    machine = (here("2a00:1::5"), here("2a00:1::6"))
    chosen = choose(EVERYWHERE, machine, routes(v6="2a00:1::6").get, routes(v6="2a00:1::5"))
    assert chosen.relays == (Relay(*[ip_address("2a00:1::5")] * 2),)
    assert describe(chosen.relays) == "2a00:1::5"


def test_a_relay_listens_nowhere_else_than_it_was_told() -> None:
    asked = (ip_address("172.17.0.1"),)
    chosen = choose(asked, LAN, routes(v4="192.168.1.5", v6="2a00:1::5").get, {})
    assert chosen.listening == asked
    assert [str(relay.local) for relay in chosen.relays] == ["172.17.0.1"]


def test_without_a_way_out_an_address_that_others_reach_comes_first() -> None:
    chosen = choose(EVERYWHERE, LAN, routes().get, {})
    assert [str(relay.local) for relay in chosen.relays] == ["192.168.1.5", "::1"]


def test_neighbours_are_the_public_networks_that_the_machine_is_in() -> None:
    machine = (here("2a00:1::5"), here("2a00:1::6"), here("fd00::5"), here("2a00:3::1", 128), *LAN)
    chosen = choose(EVERYWHERE, machine, routes().get, {})
    assert [*map(str, chosen.neighbours)] == ["2a00:1::/64"]
