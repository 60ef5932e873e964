from typing import Any

import pytest
import yaml

from appliance import settings
from appliance.machine import Component, Machine
from appliance.parts.livekit import PART as LIVEKIT
from appliance.parts.livekit import describe_public_url
from appliance.parts.rtc import PART as RTC
from appliance.parts.rtc import service_url

from .deployments import FILES, LAN, deployment, texts


def configuration(environment: dict[str, str], *, ipv6: bool = True) -> dict[str, Any]:
    found = texts(LIVEKIT, deployment(environment, ipv6=ipv6))["/run/livekit/livekit.yaml"]
    loaded: dict[str, Any] = yaml.safe_load(found)
    return loaded


@pytest.mark.parametrize("environment", [{}, LAN, FILES, {**LAN, "MATRIX_LISTEN": "192.168.1.2"}])
def test_it_asks_nobody_and_names_nobody(environment: dict[str, str]) -> None:
    rtc = configuration(environment)["rtc"]
    assert rtc["use_external_ip"] is False
    # An empty list would be Google's and Twilio's.
    settings = deployment(environment).settings
    own = f"turn.{settings.domain}:3478" if settings.turn else "127.0.0.1:9"
    assert rtc["stun_servers"] == [own]
    (program,) = LIVEKIT.programs(deployment(environment))
    assert "appliance.launch.livekit" in program.command


def test_it_may_hold_half_of_the_memory() -> None:
    (program,) = LIVEKIT.programs(deployment(LAN))
    place = program.command.index("appliance.launch.livekit")
    assert program.command[place + 1] == str(4 * 1024**3)


def test_the_trial_is_on_loopback_alone() -> None:
    rtc = configuration({})["rtc"]
    assert rtc["enable_loopback_candidate"] is True
    assert rtc["interfaces"] == {"includes": ["lo"]}
    assert rtc["ips"] == {"includes": ["127.0.0.1/32", "::1/128"]}
    assert rtc["tcp_port"] == 0
    (program,) = LIVEKIT.programs(deployment({}))
    assert program.command[-1] == "127.0.0.1"


def test_a_server_listens_everywhere_and_offers_the_local_address_too() -> None:
    rtc = configuration(LAN)["rtc"]
    assert rtc["advertise_internal_ip"] is True
    assert rtc["tcp_port"] == 7881
    assert not {"ips", "interfaces", "enable_loopback_candidate"} & rtc.keys()


def test_it_keeps_to_the_addresses_named() -> None:
    rtc = configuration({**LAN, "MATRIX_LISTEN": "192.168.1.2,fd00::2"})["rtc"]
    assert rtc["ips"] == {"includes": ["192.168.1.2/32", "fd00::2/128"]}
    # It cannot be bound to one address.
    assert rtc["tcp_port"] == 0
    rtc = configuration({**LAN, "MATRIX_LISTEN": "0.0.0.0"})["rtc"]
    assert rtc["ips"] == {"includes": ["0.0.0.0/0"]}
    assert rtc["tcp_port"] == 7881


def test_rooms_are_made_by_the_service_alone() -> None:
    found = configuration(LAN)
    assert found["room"]["auto_create"] is False
    assert found["bind_addresses"] == ["127.0.0.1"]


@pytest.mark.parametrize(
    ("variables", "present", "enabled"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"MATRIX_CALLS": "off"}, True, False),
        ({"MATRIX_CALLS": "on"}, False, True),
    ],
)
def test_it_is_there_where_the_image_has_it(
    variables: dict[str, str], present: bool, enabled: bool
) -> None:
    components = (Component("livekit", "v1", "built"),) if present else ()
    machine = Machine(2, 2**30, False, ipv6=True, jemalloc=True, components=components)
    for part in (LIVEKIT, RTC):
        assert part.enabled(settings.load(variables), machine) is enabled


def test_asked_for_and_missing_is_a_problem() -> None:
    of = deployment({"MATRIX_CALLS": "on"}, livekit=False)
    problems = [problem for problem in LIVEKIT.problems(of) if problem.subject == "MATRIX_CALLS"]
    assert len(problems) == 1
    assert "this image holds no LiveKit" in str(problems[0])


@pytest.mark.parametrize(
    ("environment", "livekit", "service"),
    [
        ({}, "ws://matrix.localhost/livekit/sfu", "http://matrix.localhost/livekit/jwt"),
        (
            {**FILES, "MATRIX_PUBLIC_BASE_URL": "https://m.example.net:8443"},
            "wss://m.example.net:8443/livekit/sfu",
            "https://m.example.net:8443/livekit/jwt",
        ),
    ],
)
def test_public_addresses(environment: dict[str, str], livekit: str, service: str) -> None:
    of = deployment(environment)
    assert describe_public_url(of.settings) == livekit
    assert service_url(of.settings, of.machine) == service
    off = deployment({**environment, "MATRIX_CALLS": "off"})
    assert service_url(off.settings, off.machine) is None
