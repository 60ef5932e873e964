"""The relay for calls, as clients have it: with credentials that Synapse gave them."""

from collections.abc import Iterator

import docker
import pytest

from .appliances import Appliance, LanAppliance
from .callers import TURN_HOST, Login, Scene, make_network, on, set_up


@pytest.fixture(scope="module")
def scene(
    docker_client: docker.DockerClient,
    shared: list[Appliance],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Scene]:
    with make_network(docker_client) as home:
        appliance = LanAppliance(network_mode=home.name).with_variables(MATRIX_LISTEN="")
        with set_up(appliance, home, tmp_path_factory.mktemp("shared")) as made:
            shared.append(appliance)
            yield made
            shared.remove(appliance)
            assert appliance.unexpected_lines() == []


@pytest.fixture
def login(scene: Scene) -> Login:
    return Login.of(on(scene.appliance, "caller"))


def by(login: Login) -> dict[str, str]:
    return {"username": login.username, "password": login.password}


def test_clients_are_told_where_the_relay_is_and_how_long_they_may_use_it(login: Login) -> None:
    assert login.uris == (
        f"turn:{TURN_HOST}:3478?transport=udp",
        f"turn:{TURN_HOST}:3478?transport=tcp",
    )
    assert login.lifetime_seconds == 86400


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("version", [4, 6])
def test_a_client_gets_a_port_of_the_family_it_asks_for(
    scene: Scene, login: Login, transport: str, version: int
) -> None:
    left = scene.left
    for host in left.relays.values():
        given = left.probe("allocate", transport=transport, version=version, host=host, **by(login))
        address, port, lifetime = given["answer"]
        assert (":" in address) == (version == 6)
        assert 49160 <= port <= 49200
        assert lifetime == 600


def test_callers_reach_the_relay_and_not_each_other(scene: Scene) -> None:
    for caller, other in ((scene.left, scene.right), (scene.right, scene.left)):
        for address in other.addresses.values():
            assert caller.probe("reach", address=address) == {"answer": "Network is unreachable"}
        for address in caller.relays.values():
            assert caller.probe("reach", address=address) == {"answer": None}


@pytest.mark.parametrize("version", [4, 6])
def test_two_relayed_callers_reach_each_other(scene: Scene, version: int) -> None:
    first, second = (Login.of(on(scene.appliance, name)) for name in ("one", "two"))
    heard = scene.left.probe(
        "relay", version=version, **by(first), other={**by(second), "transport": "tcp"}
    )
    assert heard == {"answer": [["from the left", True], ["from the right", True]]}


def test_status_asks_for_a_port(scene: Scene) -> None:
    status = scene.appliance.command("status")
    (line,) = (line for line in status.splitlines() if line.startswith("coturn"))
    assert " running " in line
    assert " relays at " in line


def test_the_secret_is_nobodys_to_see(scene: Scene) -> None:
    secret = scene.appliance.run("cat", "/data/credentials/turn_shared_secret").strip()
    assert secret not in scene.appliance.look_at_processes(
        "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ | tr '\\0' '\\n'"
    )
    assert secret not in scene.appliance.logs()
    holders = scene.appliance.run("grep", "-rlF", secret, "/run", "/data", "/tmp").split()
    modes = {path: scene.appliance.run("stat", "-c", "%U:%G %a", path).strip() for path in holders}
    assert modes == {
        "/data/credentials/turn_shared_secret": "root:root 600",
        "/run/coturn/turnserver.conf": "root:turnserver 640",
        "/run/synapse/turn_shared_secret": "root:synapse 640",
    }


def test_it_tells_nobody_what_it_is(scene: Scene, login: Login) -> None:
    assert scene.left.probe("software", **by(login)) == {"answer": None}
    # Neither has it a command line to log in to.
    listening = scene.appliance.run("cat", "/proc/net/tcp", "/proc/net/tcp6")
    assert f":{5766:04X}" not in listening


def test_the_trial_has_no_relay(trial: Appliance) -> None:
    assert on(trial, "caller").ask("GET", "/v3/voip/turnServer") == {}
    assert "coturn" not in trial.command("status")
