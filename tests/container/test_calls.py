"""Calls through the trial on this machine, by `http` and `ws`, with tokens of real accounts."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser

from .appliances import Appliance, until
from .browser import build_client
from .caller import KILLED, Caller, open_calls
from .calls import device_body, member_body, post
from .http_client import Account

MEMBERSHIP = "org.matrix.msc3401.call.member"
HOUR_MILLISECONDS = 3_600_000


@dataclass
class Tabs:
    """Two tabs of one browser, each somebody's."""

    appliance: Appliance
    browser: Browser
    alice: Account
    bob: Account
    callers: tuple[Caller, Caller]

    def see_each_other(self) -> bool:
        """Return whether each has decoded frames of the other's picture."""
        seen = [caller.do("seenFrames") for caller in self.callers]
        return all(len(frames) == 1 and min(frames.values()) > 0 for frames in seen)


@pytest.fixture(scope="module")
def tabs() -> Iterator[Tabs]:
    build_client()
    with Appliance().on_host_network() as appliance:
        alice, bob = (Account.register(appliance.matrix) for _ in range(2))
        room = f"!{secrets.token_hex(8)}:matrix.localhost"
        of_alice = post(appliance.matrix, "/sfu/get", device_body(alice, room)).json()
        of_bob = post(appliance.matrix, "/get_token", member_body(bob, room)).json()
        assert of_alice["url"].startswith("ws://")
        with open_calls(appliance) as browser:
            callers = Caller(browser, appliance), Caller(browser, appliance)
            for caller, token in zip(callers, (of_alice, of_bob), strict=True):
                caller.do("enter", token["url"], token["jwt"])
            yield Tabs(appliance, browser, alice, bob, callers)
        assert appliance.unexpected_lines() == []


def test_two_tabs_see_each_other(tabs: Tabs) -> None:
    until(tabs.see_each_other, "frames of each other", 90)


def test_nothing_but_loopback_is_offered_or_asked(tabs: Tabs) -> None:
    for caller in tabs.callers:
        assert caller.statistics().offered_addresses == {"127.0.0.1/udp"}
        asked = caller.page.evaluate("peers.flatMap((p) => p.getConfiguration().iceServers)")
        addresses = {address for server in asked for address in server["urls"]}
        assert addresses == {"stun:127.0.0.1:9"}
        assert caller.seen.hosts <= {"chat.localhost", "matrix.localhost"}


def test_the_call_resumes_after_livekit_was_stopped(tabs: Tabs) -> None:
    tabs.appliance.expect(*KILLED)
    tabs.appliance.supervisor("stop", "appliance:livekit")
    tabs.appliance.supervisor("start", "appliance:livekit")
    for caller in tabs.callers:
        until(caller.hears_and_sees, "sound and picture come in", 90)
        assert caller.page.evaluate("window.ended") is False


def test_the_agent_has_a_livekit_that_hangs_started_again(tabs: Tabs) -> None:
    tabs.appliance.expect(r"^agent .*WARNING livekit: ", "the agent tells that it hangs")
    before = tabs.appliance.program("livekit").pid
    tabs.appliance.run("kill", "-STOP", str(before))
    until(
        lambda: tabs.appliance.program("livekit").pid not in (None, before), "another LiveKit", 90
    )
    for caller in tabs.callers:
        until(caller.hears_and_sees, "sound and picture come in", 90)


def test_a_delegated_leave_is_sent_although_the_service_was_restarted(tabs: Tabs) -> None:
    alice, site = tabs.alice, tabs.appliance.matrix
    room = alice.create_room()
    key = f"_{alice.user_id}_{alice.device_id}_m.call"
    state = f"/v3/rooms/{quote(room)}/state/{MEMBERSHIP}/{quote(key)}"
    alice.ask("PUT", state, {"application": "m.call"})
    leave = f"{state}?org.matrix.msc4140.delay={HOUR_MILLISECONDS}"
    delay_id = alice.ask("PUT", leave, {})["delay_id"]
    delay = {"delay_id": delay_id, "delay_timeout": HOUR_MILLISECONDS}
    token = post(site, "/get_token", member_body(alice, room, **delay)).json()
    # As a client that is in the call already promises.
    assert post(site, "/delegate_delayed_leave", member_body(alice, room, **delay)).json() == {}

    caller = Caller(tabs.browser, tabs.appliance)
    caller.do("enter", token["url"], token["jwt"])
    file = "/data/calls/departures.json"
    until(lambda: '"came": true' in tabs.appliance.run("cat", file), "it is put off")
    tabs.appliance.supervisor("restart", "appliance:rtc")
    assert alice.ask("GET", state)["application"] == "m.call"
    caller.vanish()
    until(lambda: alice.ask("GET", state) == {}, "the room knows that she has left", 90)
    until(lambda: tabs.appliance.run("cat", file).strip() == "[]", "nothing is left to do")


def test_a_stop_does_not_wait_for_callers(tabs: Tabs) -> None:
    """The last test: it ends the call."""
    assert tabs.see_each_other()
    assert tabs.appliance.shut_down() == 0
