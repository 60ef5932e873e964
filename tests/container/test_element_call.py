"""Element Call itself, as published: two people in an encrypted call, and what their call survives.

On a home network's server, by HTTPS. Every test finds the call running and leaves it running, the
last one apart.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from .appliances import LanAppliance, until
from .browser import build_client, find_pin
from .caller import KILLED, Caller, in_call, open_calls
from .http_client import PASSWORD

PUBLIC_ADDRESS = "203.0.113.77"
MEMBERSHIP = "org.matrix.msc3401.call.member"
# Asked beside LiveKit, with its key: who is in which room, and how what they send is encrypted.
_LIST_TRACKS = """
import asyncio, json
from appliance.rtc.configuration import read_configuration
from appliance.rtc.sfu import Sfu
async def main():
    sfu = Sfu(read_configuration())
    rooms = (await sfu._call("ListRooms", {"roomList": True}, {})).object()["rooms"]
    people = []
    for room in rooms:
        grant = {"roomAdmin": True, "room": room["name"]}
        answer = await sfu._call("ListParticipants", grant, {"room": room["name"]})
        people += answer.object()["participants"]
    print(json.dumps(people))
asyncio.run(main())
"""


# Where the certificate is kept, and where the one is meanwhile that comes back during the call.
PAIR, OTHER_PAIR = "/data/certificates/self-signed", "/tmp/other-pair"


@dataclass
class Call:
    """A call and the two people in it."""

    appliance: LanAppliance
    alice: Caller
    bob: Caller
    room: str

    def callers_of_livekit(self) -> list[dict[str, Any]]:
        """Return who is in the call as far as LiveKit says."""
        people: list[dict[str, Any]] = json.loads(
            self.appliance.run("python", "-c", _LIST_TRACKS, user="rtc")
        )
        return people

    def memberships(self) -> int:
        """Return how many are in the call as far as the room says."""
        state = self.alice.do("ask", "GET", f"/_matrix/client/v3/rooms/{self.room}/state")
        return sum(event["type"] == MEMBERSHIP and bool(event["content"]) for event in state)


@pytest.fixture(scope="module")
def appliance() -> Iterator[LanAppliance]:
    # Nobody reaches the public address from here, as behind a router that does no hairpin.
    started = LanAppliance().with_variables(MATRIX_PUBLIC_IP=PUBLIC_ADDRESS, MATRIX_BRIDGES="none")
    started.expect(rf"^agent .*{PUBLIC_ADDRESS}", "an address of documentation, which none reaches")
    started.expect(
        r"could not serialize access due to concurrent update",
        "Synapse does it again when two devices write at once",
    )
    with started:
        yield started
        assert started.unexpected_lines() == []


@pytest.fixture(scope="module")
def call(appliance: LanAppliance) -> Iterator[Call]:
    build_client()
    for name in ("alice", "bob"):
        appliance.make_account(name)
    later = find_pin(appliance)
    serve_another_certificate(appliance, f"mv {PAIR} {OTHER_PAIR}")
    with open_calls(appliance, pins=[later]) as browser:
        alice, bob = Caller(browser, appliance), Caller(browser, appliance)
        alice.do("logIn", appliance.matrix.url, "alice", PASSWORD)
        bob.do("logIn", appliance.matrix.url, "bob", PASSWORD)
        room = alice.do("createEncryptedRoom", [f"@bob:{appliance.server_name}"])
        bob.do("join", room)
        alice.do("waitForMember", room, f"@bob:{appliance.server_name}")
        alice.do("openElementCall", room)
        bob.do("openElementCall", room)
        yield Call(appliance, alice, bob, room)


def serve_another_certificate(appliance: LanAppliance, script: str) -> None:
    """Have the certificate replaced by a script, and served as the agent has it done each time."""
    before = appliance.matrix.fetch_certificate()
    appliance.run("sh", "-c", script)

    def served() -> bool:
        # At once instead of at the agent's next minute, which may have come just now.
        control = "supervisorctl -s unix:///run/appliance/supervisor.sock"
        appliance.run("sh", "-c", f"{control} start appliance:certificates || true")
        return appliance.matrix.fetch_certificate() != before

    until(served, "another certificate is served", 90)


def test_two_people_hear_and_see_each_other(call: Call) -> None:
    in_call(call.alice, call.bob, within_seconds=120)
    for caller in (call.alice, call.bob):
        now = caller.statistics()
        assert now.packets_received > 0
        assert now.packets_sent > 0
        assert now.frames_decoded > 0
    until(lambda: call.memberships() == 2, "both are in the call, says the room")


def test_the_local_address_is_offered_beside_the_public_one(call: Call) -> None:
    local = call.appliance.local_address()
    for caller in (call.alice, call.bob):
        offered = caller.statistics().offered_addresses
        assert {f"{address}/udp" for address in (PUBLIC_ADDRESS, local)} <= offered


def test_it_is_encrypted_among_them(call: Call) -> None:
    people = call.callers_of_livekit()
    tracks = [track for person in people for track in person["tracks"]]
    assert len(people) == 2
    assert {track["encryption"] for track in tracks} == {"GCM"}
    # The keys went from device to device, and only encrypted.
    for caller in (call.alice, call.bob):
        said = caller.page.evaluate("window.callLog")
        assert "got io.element.call.encryption_keys" in said
        assert not [line for line in said if line.endswith(" in clear")]


@pytest.mark.parametrize("program", ["nginx", "synapse", "rtc", "coturn"])
def test_it_survives_a_restart(call: Call, program: str) -> None:
    call.appliance.expect(
        r"^nginx .* (upstream prematurely closed connection |recv\(\) failed \(104: )",
        "Synapse ends while it is asked",
    )
    before = call.appliance.program(program).pid
    call.appliance.supervisor("restart", f"appliance:{program}")
    assert call.appliance.program(program).pid != before
    until(call.appliance.is_ready, "clients are answered")
    in_call(call.alice, call.bob)
    assert call.memberships() == 2


def test_it_survives_another_certificate(call: Call) -> None:
    nginx = call.appliance.program("nginx").pid
    serve_another_certificate(call.appliance, f"cp -a {OTHER_PAIR}/. {PAIR}/")
    assert call.appliance.program("nginx").pid == nginx
    in_call(call.alice, call.bob)
    assert call.memberships() == 2


def test_it_resumes_after_livekit_was_killed(call: Call) -> None:
    call.appliance.expect(*KILLED)
    before = call.appliance.program("livekit").pid
    call.appliance.kill_process(before)
    until(lambda: call.appliance.program("livekit").pid not in (None, before), "a new LiveKit")
    until(lambda: len(call.callers_of_livekit()) == 2, "both have come back")
    in_call(call.alice, call.bob)
    assert call.memberships() == 2


def test_who_vanishes_leaves_the_call(call: Call) -> None:
    call.bob.vanish()
    until(lambda: call.memberships() == 1, "the room knows that Bob has left", 90)
