from ipaddress import ip_address, ip_network

from appliance.launch.coturn import build_command
from appliance.turn.addresses import Addresses, Relay

LAN, ROUTER = ip_address("192.168.1.5"), ip_address("198.18.0.9")


def options(*relays: Relay, neighbours: tuple[str, ...] = ()) -> list[str]:
    networks = tuple(ip_network(one) for one in neighbours)
    return build_command(Addresses((LAN,), relays, networks))[3:]


def test_an_address_of_a_router_is_told_in_the_form_that_can_be_given_twice() -> None:
    assert options(Relay(LAN, ROUTER)) == [
        "--listening-ip=192.168.1.5",
        "--relay-ip=192.168.1.5",
        "--external-ip=198.18.0.9/192.168.1.5",
        "--allowed-peer-ip=198.18.0.9",
    ]


def test_in_a_lan_callers_may_reach_the_relay_itself() -> None:
    assert options(Relay(LAN, LAN))[1:] == [
        "--relay-ip=192.168.1.5",
        "--allowed-peer-ip=192.168.1.5",
    ]


def test_only_on_loopback_are_peers_of_loopback_allowed() -> None:
    loopback = ip_address("127.0.0.1")
    assert "--allow-loopback-peers" in options(Relay(loopback, loopback))
    assert "--allow-loopback-peers" not in options(Relay(LAN, ROUTER))


def test_devices_behind_the_same_router_are_denied() -> None:
    told = options(Relay(LAN, LAN), neighbours=("2a00:1:2:3::/64",))
    assert told[-1] == "--denied-peer-ip=2a00:1:2:3::-2a00:1:2:3:ffff:ffff:ffff:ffff"
