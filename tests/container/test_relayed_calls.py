"""Calls between two who reach each other through the relay alone, and what ends them."""

import time
from collections.abc import Callable, Iterator
from ipaddress import ip_address

import pytest

from .appliances import until
from .callers import TURN_HOST, Call, Login, Scene, on

BY_UDP = f"turn:{TURN_HOST}:3478?transport=udp"
BY_TCP = f"turn:{TURN_HOST}:3478?transport=tcp"
BY_TLS = f"turns:{TURN_HOST}:5349?transport=tcp"
# One second of speech is 50 packets.
SOME = 50

Logins = tuple[Login, Login]


@pytest.fixture(scope="module")
def logins(scene: Scene) -> Logins:
    return Login.of(on(scene.appliance, "alice")), Login.of(on(scene.appliance, "bob"))


def relay_addresses(scene: Scene) -> set[str]:
    addresses = scene.appliance.run("cat", "/run/coturn/work/addresses.json")
    return {word for word in addresses.split('"') if "." in word or "::" in word}


@pytest.mark.parametrize("uri", [BY_UDP, BY_TCP, BY_TLS], ids=["udp", "tcp", "tls"])
@pytest.mark.parametrize("version", [4, 6], ids=["ipv4", "ipv6"])
def test_both_hear_each_other_through_the_relay_alone(
    scene: Scene, logins: Logins, uri: str, version: int
) -> None:
    assert uri in logins[0].uris
    with Call.between(scene, logins, uri, version=version, relay_version=version) as call:
        for hearing in call.wait_for(2 * SOME):
            assert hearing.state == "connected"
            assert hearing.offered == ("relay",)
            assert [kind for kind, _ in hearing.pair] == ["relay", "relay"]
            for _, address in hearing.pair:
                assert address in relay_addresses(scene)
                assert ip_address(address).version == version


@pytest.fixture(scope="module", params=[BY_UDP, BY_TLS], ids=["udp", "tls"])
def running_call(scene: Scene, logins: Logins, request: pytest.FixtureRequest) -> Iterator[Call]:
    """A call in which both hear each other, and go on to."""
    with Call.between(scene, logins, request.param) as call:
        call.wait_for(SOME)
        yield call


def restart(scene: Scene, program: str) -> None:
    before = scene.appliance.program(program).pid
    scene.appliance.supervisor("restart", f"appliance:{program}")
    assert scene.appliance.program(program).pid != before


def restart_nginx(scene: Scene) -> None:
    restart(scene, "nginx")
    until(scene.appliance.is_ready, "clients are answered again")


def restart_synapse(scene: Scene) -> None:
    scene.appliance.expect(r"^whatsapp +\| .* (ERR|WRN) ", "the server that it asks is away")
    restart(scene, "synapse")
    until(scene.appliance.is_ready, "clients are answered again")


def restart_agent(scene: Scene) -> None:
    restart(scene, "agent")


def restart_livekit(scene: Scene) -> None:
    restart(scene, "livekit")


def renew_certificate(scene: Scene) -> None:
    """Have another certificate issued and served by everybody, as it happens every year."""
    coturn = scene.appliance.program("coturn").pid
    before = scene.left.probe("certificate", port=5349)
    scene.appliance.run("rm", "-r", "/data/certificates/self-signed")

    def renewed() -> bool:
        # At once instead of at the agent's next minute, which may have come just now.
        control = "supervisorctl -s unix:///run/appliance/supervisor.sock"
        scene.appliance.run("sh", "-c", f"{control} start appliance:certificates || true")
        return bool(scene.left.probe("certificate", port=5349) != before)

    until(renewed, "coturn has the new one")
    assert scene.appliance.program("coturn").pid == coturn


@pytest.mark.parametrize(
    "happening",
    [restart_nginx, restart_synapse, restart_livekit, restart_agent, renew_certificate],
)
def test_a_call_goes_on_when(
    scene: Scene, running_call: Call, happening: Callable[[Scene], None]
) -> None:
    happening(scene)
    for hearing in running_call.wait_for(SOME):
        assert hearing.state == "connected"
        assert [kind for kind, _ in hearing.pair] == ["relay", "relay"]


def kill_coturn(scene: Scene) -> None:
    scene.appliance.expect("WARN exited: coturn .terminated by SIGKILL", "the test kills it")
    before = scene.appliance.program("coturn").pid
    scene.appliance.kill_process(before)
    until(lambda: scene.appliance.program("coturn").pid not in (None, before), "another coturn")


def restart_coturn(scene: Scene) -> None:
    restart(scene, "coturn")


@pytest.mark.parametrize("happening", [restart_coturn, kill_coturn])
def test_a_call_ends_and_the_next_one_works_when(
    scene: Scene, logins: Logins, happening: Callable[[Scene], None]
) -> None:
    with Call.between(scene, logins, BY_UDP) as call:
        call.wait_for(SOME)
        happening(scene)
        until(lambda: "answer" in scene.left.probe("allocate", **logins[0].by()), "a port")
        heard = call.hearings()
        time.sleep(1)
        assert [one.packets for one in call.hearings()] == [one.packets for one in heard]
    with Call.between(scene, logins, BY_UDP) as call:
        call.wait_for(SOME)
