import pytest

from appliance import settings
from appliance.errors import ConfigurationError

REAL = {"MATRIX_DOMAIN": "home.lan", "MATRIX_TLS_MODE": "self-signed"}


def complaints(**given: str) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        settings.load({**REAL, **given})
    return [str(problem) for problem in caught.value.problems]


def test_a_real_deployment_relays_and_the_trial_does_not() -> None:
    assert settings.load(REAL).turn
    assert not settings.load({}).turn
    assert settings.load({"MATRIX_TURN": "yes"}).turn


def test_all_users_together_may_hold_as_many_ports_as_there_are() -> None:
    assert settings.load(REAL).turn_total_quota == 41
    fewer = settings.load({**REAL, "MATRIX_TURN_RELAY_LAST_PORT": "49169"})
    assert fewer.turn_total_quota == 10


def test_a_range_that_is_none() -> None:
    assert complaints(MATRIX_TURN_RELAY_LAST_PORT="49159") == [
        "MATRIX_TURN_RELAY_LAST_PORT: 49159 is below MATRIX_TURN_RELAY_FIRST_PORT"
    ]


def test_a_port_that_is_another_service_s_or_in_the_range() -> None:
    assert complaints(MATRIX_TURN_TLS_PORT="443")[1] == (
        "MATRIX_TURN_TLS_PORT: 443 is also the port of MATRIX_HTTPS_PORT; give each its own"
    )
    assert complaints(MATRIX_LIVEKIT_UDP_PORT="3478") == [
        "MATRIX_LIVEKIT_UDP_PORT: 3478 is also a port of the relay; give each its own"
    ]
    (second,) = complaints(MATRIX_TURN_PORT="49170")
    assert second.startswith("MATRIX_TURN_PORT: 49170 is one of the relay ports")


@pytest.mark.parametrize("peers", ["127.0.0.1", "::1", "224.0.0.0/4", "ff02::/16"])
def test_peers_that_are_no_other_machines(peers: str) -> None:
    (problem,) = complaints(MATRIX_TURN_ALLOWED_PEERS=peers)
    assert "is not a range of other machines" in problem


@pytest.mark.parametrize("peers", ["0.0.0.0/0", "::/0", "::1/0", "0.0.0.0/8"])
def test_peers_that_would_open_everything(peers: str) -> None:
    (problem,) = complaints(MATRIX_TURN_ALLOWED_PEERS=peers)
    assert "would open every network" in problem
