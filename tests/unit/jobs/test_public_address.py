"""The job asks when it is time to, keeps what it found, and never forgets for want of an answer."""

import json
from pathlib import Path

import pytest

from appliance.jobs.public_address import Follower
from appliance.public_address import PublicAddresses

from ..public_address.networks import FIRST, HOME, HOME6, OTHER, PRIVATE, SECOND, StandIn


@pytest.fixture
def home() -> StandIn:
    return StandIn({FIRST: HOME, SECOND: HOME})


@pytest.fixture
def follower(tmp_path: Path, home: StandIn) -> Follower:
    source = tmp_path / "source.json"
    servers = [[FIRST.host, FIRST.port], [SECOND.host, SECOND.port]]
    source.write_text(json.dumps({"servers": servers, "interval_seconds": 300}))
    return Follower(source, tmp_path / "found", tmp_path / "remembered", home.network())


def found(follower: Follower) -> list[str]:
    return [str(one) for one in PublicAddresses.from_json(follower.found.read_text()).addresses]


async def test_what_it_finds_is_kept_twice(follower: Follower) -> None:
    finding = await follower.follow({})
    assert finding.ok
    assert finding.detail == f"{HOME} ({FIRST})"
    assert found(follower) == [HOME]
    assert follower.remembered.read_text() == follower.found.read_text()


async def test_it_asks_no_sooner_than_it_shall(follower: Follower, home: StandIn) -> None:
    first = await follower.follow({})
    asked = len(home.asked)
    assert await follower.follow({}) == first
    assert len(home.asked) == asked


async def test_it_asks_at_once_when_the_route_changed(follower: Follower, home: StandIn) -> None:
    await follower.follow({})
    home.says, home.own = {FIRST: OTHER, SECOND: OTHER}, {4: "192.168.2.20"}
    await follower.follow({})
    assert found(follower) == [OTHER]


async def test_without_an_answer_it_keeps_what_it_knew(follower: Follower, home: StandIn) -> None:
    await follower.follow({})
    home.says, home.own = {}, {4: "192.168.2.20"}
    finding = await follower.follow({})
    assert not finding.ok
    assert "no STUN server said" in finding.detail
    assert found(follower) == [HOME]


async def test_a_restart_begins_with_what_was_known(follower: Follower, home: StandIn) -> None:
    await follower.follow({})
    home.says = {}
    follower.found.unlink()
    again = Follower(follower.source, follower.found, follower.remembered, home.network())
    assert not (await again.follow({})).ok
    assert found(again) == [HOME]


async def test_a_family_without_a_route_is_dropped(follower: Follower, home: StandIn) -> None:
    home.says6 = {FIRST: HOME6, SECOND: HOME6}
    home.own = {4: PRIVATE, 6: "fd00::5"}
    await follower.follow({})
    assert found(follower) == [HOME, HOME6]
    home.own = {4: PRIVATE}
    assert (await follower.follow({})).ok
    assert found(follower) == [HOME]
    home.own = {}
    assert "no way out" in (await follower.follow({})).detail
    assert found(follower) == []


async def test_a_likely_address_counts_until_a_server_said_one(
    follower: Follower, home: StandIn
) -> None:
    home.says, home.own = {}, {4: OTHER}
    finding = await follower.follow({})
    assert (finding.ok, finding.detail) == (True, f"{OTHER} (the default route)")
    home.own = {4: "1.1.1.1"}
    await follower.follow({})
    assert found(follower) == ["1.1.1.1"]
    home.says, home.own = {FIRST: HOME}, {4: OTHER}
    await follower.follow({})
    assert found(follower) == [HOME]
    home.says, home.own = {}, {4: "1.1.1.1"}
    finding = await follower.follow({})
    assert not finding.ok
    assert f"{HOME} is kept" in finding.detail
    assert found(follower) == [HOME]
