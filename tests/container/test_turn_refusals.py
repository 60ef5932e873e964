"""What the relay refuses: to send inside, to who may not use it, and more than anyone needs."""

import random
import secrets
import time
from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from appliance.turn import client, peers
from appliance.turn.connections import Transport, connect

from .appliances import until
from .callers import Login, Scene, on, start_neighbour

PORT = 4242
_REST_SECONDS = 3
# A public address of each family that leads nowhere but to the neighbour.
PUBLIC = {4: "9.9.9.9", 6: "2a00:9999::9"}
RANGES = {
    4: peers.IPV4,
    6: (
        *("::1/128", "::/96", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64"),
        *("fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8", "5f00::/16", "4000::/3"),
        *peers.IPV6_WITHIN_PUBLIC,
    ),
}
# Of every range one address that a machine can have; `::` and its kind mean this machine.
INSIDE = {
    4: [
        *("0.0.0.0", "10.9.9.9", "100.64.9.9", "127.0.0.1", "169.254.9.9", "172.16.9.9"),
        *("192.0.0.9", "192.0.2.9", "192.31.196.9", "192.52.193.9", "192.88.99.9", "192.168.99.9"),
        *("192.175.48.9", "198.18.9.9", "198.51.100.9", "203.0.113.9", "240.9.9.9"),
    ],
    6: [
        *("::", "::1", "::ffff:10.9.9.9", "::ffff:127.0.0.1", "64:ff9b::9.9.9.9", "100::9"),
        *("fd99::9", "2001:db8::9", "2002:a09:909::9", "3fff::9", "2001::9", "5f00::9", "fec0::9"),
    ],
}


@pytest.fixture(scope="module")
def login(scene: Scene) -> Login:
    scene.appliance.expect(r"^coturn +\| .*check_stun_auth: ", "credentials that are no good")
    scene.appliance.expect(r"^coturn +\| .*quota", "more ports than anyone may have")
    return Login.of(on(scene.appliance, "caller"))


@pytest.fixture(scope="module")
def neighbour(scene: Scene) -> Iterator[Path]:
    """Whoever has every address above, in the appliance's own place, and what it heard."""
    own = [
        text
        for text in (*INSIDE[4], *INSIDE[6], *PUBLIC.values())
        if not ip_address(text).is_loopback
        and not ip_address(text).is_unspecified
        # Linux has no address of these forms; packets to them would go to the IPv4 one.
        and not text.startswith("::ffff:")
    ]
    with start_neighbour(scene, PORT, own) as heard:
        yield heard


def sample(network: str) -> list[str]:
    """Return addresses of a network: its edges, those at powers of two, and some by chance."""
    whole = ip_network(network)
    chance = random.Random(network)  # noqa: S311
    places = {0, whole.num_addresses - 1, *(1 << bit for bit in range(whole.max_prefixlen))}
    places |= {chance.randrange(whole.num_addresses) for _ in range(20)}
    return [str(whole[place]) for place in sorted(places) if place < whole.num_addresses]


@pytest.mark.parametrize("version", [4, 6])
def test_no_permission_for_any_address_inside(scene: Scene, login: Login, version: int) -> None:
    asked = [address for network in RANGES[version] for address in sample(network)]
    answers = scene.left.probe("permit", version=version, peers=asked, **login.by())["answer"]
    assert {a: code for a, code in zip(asked, answers, strict=True) if code != 403} == {}
    given = scene.left.probe("permit", version=version, peers=[PUBLIC[version]], **login.by())
    assert given == {"answer": [0]}


@pytest.mark.parametrize("version", [4, 6])
def test_nothing_is_sent_inside(scene: Scene, login: Login, neighbour: Path, version: int) -> None:
    # In this order: when the last has arrived, what was sent before it would have.
    asked = [*INSIDE[version], PUBLIC[version]]
    scene.left.probe("send", version=version, peers=asked, peer_port=PORT, **login.by())
    until(lambda: PUBLIC[version] in neighbour.read_text(), "what may be sent arrives")
    assert set(neighbour.read_text().split()) & {*INSIDE[version]} == set()


def test_no_permission_for_devices_behind_the_same_router(scene: Scene, login: Login) -> None:
    # They have public addresses, which the router hides from everybody but this machine.
    home = "2a00:8888:1:2"
    asked = [f"{home}::5", f"{home}::77", f"{home}:ffff:ffff:ffff:ffff", "2a00:8888:1:3::1"]
    with start_neighbour(scene, PORT + 1, [f"{home}::5/64"]):
        restart_coturn(scene)
        given = scene.left.probe("permit", version=6, peers=asked, **login.by())
    assert given == {"answer": [403, 403, 403, 0]}


def restart_coturn(scene: Scene) -> None:
    scene.appliance.supervisor("restart", "appliance:coturn")
    until(lambda: "relays at" in scene.appliance.command("status"), "a relay that answers")


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_credentials_that_are_wrong(scene: Scene, login: Login, transport: str) -> None:
    until_when, _, user = login.username.partition(":")
    wrong = {
        "another password": (login.username, "not the password"),
        "no password": (login.username, ""),
        "a later end": (f"{int(until_when) + 9999}:{user}", login.password),
        "another user": (f"{until_when}:@somebody:home.lan", login.password),
        "no end": (user, login.password),
    }
    for what, (username, password) in wrong.items():
        answer = scene.left.probe(
            "allocate", transport=transport, username=username, password=password
        )
        assert answer == {"refused": 401}, what


def test_credentials_that_have_expired(scene: Scene) -> None:
    secret = scene.appliance.run("cat", "/data/credentials/turn_shared_secret").strip()
    for seconds, expected in ((60, "answer"), (-1, "refused")):
        login = client.Login.make(secret, "@caller:home.lan", seconds)
        answer = scene.left.probe("allocate", username=login.username, password=login.password)
        assert [*answer] == [expected]


def test_a_request_that_somebody_else_made(scene: Scene, login: Login) -> None:
    # Whoever could listen sends it again, from another port.
    assert scene.left.probe("replay", **login.by())["answer"] in ([401], [438])


def test_credentials_are_good_for_more_than_one_call(scene: Scene, login: Login) -> None:
    for caller in (scene.left, scene.right, scene.left):
        assert "answer" in caller.probe("allocate", **login.by())


def test_a_flood_stays_within_the_quota_and_the_server_answers(scene: Scene) -> None:
    appliance = scene.appliance
    restart_coturn(scene)  # nobody holds a port of it then
    alone = Login.of(on(appliance, "greedy")).by()
    answers = scene.left.probe("flood", count=15, logins=[alone])["answer"]
    assert answers == [0] * 12 + [486] * 3
    secret = appliance.run("cat", "/data/credentials/turn_shared_secret").strip()
    crowd = [client.Login.make(secret, f"@{secrets.token_hex(4)}:home.lan", 600) for _ in range(5)]
    logins = [{"username": one.username, "password": one.password} for one in crowd]

    def flood() -> bool:
        # What the last flood held is free again after a moment, which its like must not take up;
        # until then it is 486, or 437 for who asks from the same port.
        time.sleep(_REST_SECONDS)
        answers = scene.left.probe("flood", count=60, logins=logins)["answer"]
        assert set(answers) <= {0, 437, 486}
        assert answers.count(0) <= 41
        return bool(answers.count(0) == 41)

    until(flood, "all 41 ports given and no more", 120)
    assert appliance.matrix.get("/_matrix/client/versions").status == 200
    assert appliance.is_healthy()
    until(
        lambda: "answer" in scene.left.probe("allocate", **alone), "a port for whoever comes next"
    )


def test_strangers_neither_fill_the_log_nor_colour_it(scene: Scene, login: Login) -> None:
    del login  # whose fixture expects what coturn says of strangers
    appliance = scene.appliance
    name = f"{secrets.token_hex(4)}>\nsynapse  | \x1b[31mforged"
    before = appliance.logs().count("\n")
    asks = Transport.UDP, scene.left.relays[4], 3478
    with client.Client(connect(*asks), client.Login(name, "unknown")) as stranger:

        def knock() -> None:
            with pytest.raises(client.TurnError):
                stranger.allocate()

        for _ in range(1000):
            knock()
        assert appliance.logs().count("\n") - before < 700
        time.sleep(_REST_SECONDS)  # a line of its own may be written again
        knock()
        until(lambda: "(lines left out: " in appliance.logs(), "it is told")
    assert "\x1b" not in appliance.logs()
    assert r"synapse  | \x1b[31mforged" in appliance.logs()
