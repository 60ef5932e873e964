"""Calls of people whose network lets no UDP through: LiveKit's TCP port carries them."""

from pathlib import Path

from .appliances import LanAppliance
from .browser import build_client
from .caller import Caller, in_call, open_calls
from .callers import on, udp_blocked
from .calls import device_body, post

UDP_PORT = 7882


def test_two_people_hear_and_see_each_other_by_tcp(lan: LanAppliance, tmp_path: Path) -> None:
    build_client()
    room = f"!without-udp:{lan.server_name}"
    people = [on(lan, name) for name in ("alice", "bob")]
    tokens = [post(lan.matrix, "/sfu/get", device_body(one, room)).json() for one in people]
    with udp_blocked(lan, UDP_PORT, tmp_path), open_calls(lan) as browser:
        callers = [Caller(browser, lan) for _ in people]
        for caller, token in zip(callers, tokens, strict=True):
            caller.do("enter", token["url"], token["jwt"])
        in_call(*callers, within_seconds=120)
        for caller in callers:
            now = caller.statistics()
            assert now.packets_sent > 0
            assert now.used_addresses == {f"{lan.local_address()}/tcp"}
            assert f"{lan.local_address()}/udp" in now.offered_addresses
