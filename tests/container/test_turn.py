"""The relay for calls, as clients have it: with credentials that Synapse gave them."""

import json
import re

import pytest

from .appliances import Appliance
from .callers import TURN_HOST, Login, Scene, on


@pytest.fixture(scope="module")
def login(scene: Scene) -> Login:
    return Login.of(on(scene.appliance, "caller"))


@pytest.fixture(scope="module")
def other_login(scene: Scene) -> Login:
    return Login.of(on(scene.appliance, "other"))


def test_clients_are_told_where_the_relay_is_and_how_long_they_may_use_it(login: Login) -> None:
    assert login.uris == (
        f"turn:{TURN_HOST}:3478?transport=udp",
        f"turn:{TURN_HOST}:3478?transport=tcp",
        f"turns:{TURN_HOST}:5349?transport=udp",
        f"turns:{TURN_HOST}:5349?transport=tcp",
    )
    assert login.lifetime_seconds == 86400


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("version", [4, 6])
def test_a_client_gets_a_port_of_the_family_it_asks_for(
    scene: Scene, login: Login, transport: str, version: int
) -> None:
    left = scene.left
    for host in left.relays.values():
        given = left.probe(
            "allocate", transport=transport, version=version, host=host, **login.by()
        )
        address, port, lifetime = given["answer"]
        assert (":" in address) == (version == 6)
        assert 49160 <= port <= 49200
        assert lifetime == 600


@pytest.mark.parametrize("version", [4, 6])
def test_by_tls_the_relay_proves_who_it_is(scene: Scene, login: Login, version: int) -> None:
    scene.left.look_up(version)
    secure = {"port": 5349, "host": TURN_HOST, "version": version, **login.by()}
    trusting = {"ca_certificate": scene.appliance.ca_certificate}
    given = scene.left.probe("allocate", transport="tls", **secure, **trusting)
    assert 49160 <= given["answer"][1] <= 49200
    other = scene.left.probe("allocate", transport="tls", **secure, ca_certificate=None)
    assert "CERTIFICATE_VERIFY_FAILED" in other["failed"]


@pytest.mark.parametrize("version", [4, 6])
def test_a_client_gets_a_port_by_dtls(scene: Scene, login: Login, version: int) -> None:
    host = scene.left.relays[version]
    given = scene.left.probe("allocate", transport="dtls", host=host, port=5349, **login.by())
    assert 49160 <= given["answer"][1] <= 49200


def test_callers_reach_the_relay_and_not_each_other(scene: Scene) -> None:
    for caller, other in ((scene.left, scene.right), (scene.right, scene.left)):
        for address in other.addresses.values():
            assert caller.probe("reach", address=address) == {"answer": "Network is unreachable"}
        for address in caller.relays.values():
            assert caller.probe("reach", address=address) == {"answer": None}


@pytest.mark.parametrize("version", [4, 6])
def test_two_relayed_callers_reach_each_other(
    scene: Scene, login: Login, other_login: Login, version: int
) -> None:
    other = {**other_login.by(), "transport": "tcp"}
    heard = scene.left.probe("relay", version=version, **login.by(), other=other)
    assert heard == {"answer": [["from the left", True], ["from the right", True]]}


def test_status_asks_for_a_port(scene: Scene) -> None:
    status = scene.appliance.command("status")
    (line,) = (line for line in status.splitlines() if line.startswith("coturn"))
    assert " running " in line
    assert " relays at " in line


def test_the_doctor_tries_every_transport_and_both_families(scene: Scene) -> None:
    found = json.loads(scene.appliance.command("doctor", "calls", "--json"))
    assert {one["verdict"] for one in found if one["check"].startswith("turn-")} == {"good"}
    tried = [one["what"].split(" gives ")[0] for one in found if one["check"] == "turn-transports"]
    assert sorted(tried) == sorted(
        f"{transport} at {host}:{port}"
        for host in ("127.0.0.1", "[::1]")
        for transport, port in (("udp", 3478), ("tcp", 3478), ("dtls", 5349), ("tls", 5349))
    )
    heard = [one["what"] for one in found if one["check"] == "turn-loop"]
    assert heard == [f"two relayed callers hear each other over IPv{one}" for one in (4, 6)]


def test_the_ports_to_open_are_told_at_the_start(scene: Scene) -> None:
    (line,) = (line for line in scene.appliance.logs().splitlines() if "router and" in line)
    for port in ("443/tcp", "3478/udp, 3478/tcp, 5349/udp, 5349/tcp, 49160-49200/udp"):
        assert port in line
    told = scene.appliance.command("ports")
    assert "  ufw allow 49160:49200/udp\n" in told


def test_nothing_of_its_configuration_was_left_out(scene: Scene) -> None:
    # It says so and runs on.
    said = [line for line in scene.appliance.logs().splitlines() if line.startswith("coturn")]
    assert any("Relay address to use" in line for line in said)
    wrong = re.compile(r"bad configuration|wrong address|unknown|cannot|warning|error|fail", re.I)
    allowed = re.compile(r"A peer IP \S+ denied|check_stun_auth|quota")
    assert [one for one in said if wrong.search(one) and not allowed.search(one)] == []


def test_it_tells_nobody_what_it_is(scene: Scene, login: Login) -> None:
    assert scene.left.probe("software", **login.by()) == {"answer": None}
    # Neither has it a command line to log in to.
    listening = scene.appliance.run("cat", "/proc/net/tcp", "/proc/net/tcp6")
    assert f":{5766:04X}" not in listening


def test_the_trial_has_no_relay(trial: Appliance) -> None:
    assert on(trial, "caller").ask("GET", "/v3/voip/turnServer") == {}
    assert "coturn" not in trial.command("status")
