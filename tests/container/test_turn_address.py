"""The relay of a server at home, whose public address is the router's and changes."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from appliance.turn import client

from .appliances import until
from .callers import SCRIPTS
from .internet import Internet
from .internet.appliance import InternetAppliance

# What the router has: first this, then that.
FIRST, SECOND = "8.8.4.4", "8.8.8.8"


@pytest.fixture(scope="module")
def appliance(internet: Internet) -> Iterator[InternetAppliance]:
    appliance = InternetAppliance(internet).with_variables(
        MATRIX_TLS_MODE="self-signed",
        MATRIX_CLOUDFLARE_API_TOKEN="",
        MATRIX_ACME_EMAIL="",
        MATRIX_ACME_CA_BUNDLE="",
        MATRIX_ACME_PROPAGATION="",
        MATRIX_PUBLIC_IP_INTERVAL="10s",
        MATRIX_TURN_PATIENCE="1h",
        MATRIX_TURN_ALLOWED_PEERS="10.77.0.0/16",
        MATRIX_TURN_TLS_PORT="853",
    )
    appliance.expect(r"agent +\| WARNING reachability: ", "its domain has no records")
    appliance.expect(r"WARN exited: livekit", "it follows the address too, by a new start")
    appliance.expect(r"WARNING reachability: ", "nobody made records of its names")
    appliance.with_volume_mapping(str(SCRIPTS), "/caller", "ro")
    with appliance:
        yield appliance
        assert appliance.unexpected_lines() == []


def probe(appliance: InternetAppliance, do: str, **job: Any) -> Any:
    """Ask the relay from its own machine."""
    return json.loads(appliance.run("python", "/caller/probe.py", describe(appliance, do, **job)))


def describe(appliance: InternetAppliance, do: str, **job: Any) -> str:
    secret = appliance.run("cat", "/data/credentials/turn_shared_secret").strip()
    login = client.Login.make(secret, "@caller:home.lan")
    place = {"host": "127.0.0.1", "port": 3478, "version": 4}
    named = {"username": login.username, "password": login.password}
    return json.dumps({"do": do, **place, **named, **job})


def relay_job(appliance: InternetAppliance) -> str:
    return str(appliance.found("relay").get("detail", ""))


def test_callers_are_told_the_router_s_address_and_reach_each_other_there(
    internet: Internet, appliance: InternetAppliance
) -> None:
    appliance.be_seen_as(FIRST)
    behind = f"relays at {FIRST} (here {appliance.address})"
    until(lambda: relay_job(appliance) == behind, "the relay follows", 90)
    assert probe(appliance, "allocate")["answer"][0] == FIRST
    heard = probe(appliance, "relay", other={})
    assert heard == {"answer": [["from the left", True], ["from the right", True]]}


def test_a_changed_address_waits_for_the_calls_that_run(
    internet: Internet, appliance: InternetAppliance
) -> None:
    job = describe(appliance, "hold", until="/tmp/hung-up")
    appliance.get_wrapped_container().exec_run(["python", "/caller/probe.py", job], detach=True)
    until(lambda: appliance.run("ls", "/tmp").split() == ["holding"], "a call")
    before = appliance.program("coturn").pid
    appliance.be_seen_as(SECOND)
    until(lambda: "for calls (ports in use: 1)" in relay_job(appliance), "the change is seen", 90)
    assert appliance.program("coturn").pid == before
    found = json.loads(doctor(appliance))
    assert "wrong" in {one["verdict"] for one in found if one["check"] == "turn-address"}
    appliance.run("touch", "/tmp/hung-up")
    behind = f"relays at {SECOND} (here {appliance.address})"
    until(lambda: relay_job(appliance) == behind, "the relay follows", 90)
    assert appliance.program("coturn").pid != before
    log = appliance.logs()
    assert f"relay: the address changed from {FIRST} (here {appliance.address}) to {SECOND}" in log
    assert f"relay: starts again at {SECOND} (here {appliance.address})\n" in log


def doctor(appliance: InternetAppliance) -> str:
    """Return what the doctor finds, be it good or not."""
    script = "appliance doctor calls --json || true"
    return appliance.run("sh", "-c", script)


def test_the_owner_may_open_a_network_on_purpose(appliance: InternetAppliance) -> None:
    asked = ["10.77.0.1", "10.77.255.255", "10.78.0.1", "192.168.1.1"]
    assert probe(appliance, "permit", peers=asked) == {"answer": [0, 0, 403, 403]}


def test_a_port_below_1024_can_be_the_relay_s(appliance: InternetAppliance) -> None:
    found = json.loads(doctor(appliance))
    tried = [one["what"] for one in found if one["check"] == "turn-transports"]
    assert [what for what in tried if what.startswith("tls at 127.0.0.1:853 gives port")]
    owner = appliance.run("sh", "-c", "stat -c %U /proc/$(cat /run/coturn/work/turnserver.pid)")
    assert owner.strip() == "turnserver"
