"""Delegated leaves by a clock of our own; LiveKit and Synapse note what they were asked.

Both real ones: tests/container/test_delegated_leave.py.
"""

import json
from pathlib import Path

import pytest

from appliance.rtc.bodies import Delay
from appliance.rtc.departures import Departures
from appliance.rtc.errors import UnreachableError
from appliance.rtc.homeserver import Action

DELAY = Delay("delay", 100)


class World:
    """LiveKit, Synapse and the time."""

    def __init__(self) -> None:
        self.time = 1000.0
        self.rooms: dict[str, set[str]] | None = {}
        self.done: list[tuple[float, str]] = []
        self.answers = True
        self.knows = True

    async def list_rooms(self, rooms: set[str]) -> set[str]:
        if self.rooms is None:
            raise UnreachableError("killed")
        return rooms & self.rooms.keys()

    async def list_callers(self, room: str) -> set[str]:
        assert self.rooms is not None
        return self.rooms[room]

    async def manage_delayed_event(self, delay_id: str, action: Action) -> bool:
        assert delay_id == "delay"
        if not self.answers:
            raise UnreachableError("restarting")
        self.done.append((self.time, action))
        return self.knows

    async def pass_time(self, departures: Departures, seconds: int) -> None:
        for _ in range(seconds):
            self.time += 1
            await departures.look()


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "departures.json"


@pytest.fixture
def departures(world: World, file: Path) -> Departures:
    return start(world, file)


def start(world: World, file: Path) -> Departures:
    return Departures(file, world, world, clock=lambda: world.time)  # type: ignore[arg-type]


def jobs(file: Path) -> int:
    return len(json.loads(file.read_text()))


async def test_it_is_put_off_while_the_caller_is_there(
    world: World, departures: Departures
) -> None:
    departures.watch("room", "alice", DELAY)
    world.rooms = {"room": {"alice"}}
    await world.pass_time(departures, 170)
    assert world.done == [(1001, "restart"), (1081, "restart"), (1161, "restart")]


async def test_it_is_sent_when_the_caller_is_gone(
    world: World, departures: Departures, file: Path
) -> None:
    departures.watch("room", "alice", DELAY)
    world.rooms = {"room": {"alice", "bob"}}
    await world.pass_time(departures, 1)
    world.rooms = {"room": {"bob"}}
    await world.pass_time(departures, 10)
    assert world.done == [(1001, "restart"), (1005, "send")]
    assert jobs(file) == 0


async def test_a_moment_away_is_no_leave(world: World, departures: Departures) -> None:
    departures.watch("room", "alice", DELAY)
    for there in ({"alice"}, set(), set(), {"alice"}, set(), {"alice"}):
        world.rooms = {"room": there}
        await world.pass_time(departures, 1)
    assert world.done == [(1001, "restart")]


@pytest.mark.parametrize("away", [None, {}])
async def test_callers_return_to_a_new_livekit(
    world: World, departures: Departures, away: dict[str, set[str]] | None
) -> None:
    departures.watch("room", "alice", DELAY)
    departures.watch("room", "bob", DELAY)
    world.rooms = {"room": {"alice", "bob"}}
    await world.pass_time(departures, 1)
    world.rooms = away
    await world.pass_time(departures, 8)
    world.rooms = {"room": {"alice"}}
    await world.pass_time(departures, 8)
    world.rooms = {"room": {"alice", "bob"}}
    await world.pass_time(departures, 8)
    assert {action for _, action in world.done} == {"restart"}


async def test_livekit_gone_for_good_ends_the_call(world: World, departures: Departures) -> None:
    departures.watch("room", "alice", DELAY)
    world.rooms = {"room": {"alice"}}
    await world.pass_time(departures, 1)
    world.rooms = None
    await world.pass_time(departures, 60)
    assert world.done == [(1001, "restart"), (1032, "send")]


async def test_who_never_came_is_forgotten(
    world: World, departures: Departures, file: Path
) -> None:
    departures.watch("room", "alice", DELAY)
    await world.pass_time(departures, 99)
    assert jobs(file) == 1
    await world.pass_time(departures, 2)
    assert jobs(file) == 0
    assert world.done == []


async def test_a_restart_forgets_nobody(world: World, departures: Departures, file: Path) -> None:
    departures.watch("room", "alice", DELAY)
    world.rooms = {"room": {"alice"}}
    await world.pass_time(departures, 1)
    world.rooms = {"room": set()}
    later = start(world, file)
    await world.pass_time(later, 10)
    assert world.done == [(1001, "restart"), (1005, "send")]
    assert file.stat().st_mode & 0o077 == 0


async def test_a_synapse_that_restarts_is_asked_again(world: World, departures: Departures) -> None:
    departures.watch("room", "alice", DELAY)
    world.rooms = {"room": {"alice"}}
    await world.pass_time(departures, 1)
    world.rooms = {"room": set()}
    world.answers = False
    await world.pass_time(departures, 20)
    assert world.done == [(1001, "restart")]
    world.answers = True
    await world.pass_time(departures, 3)
    assert [action for _, action in world.done] == ["restart", "send"]


async def test_a_leave_that_is_no_more_is_dropped(
    world: World, departures: Departures, file: Path
) -> None:
    departures.watch("room", "alice", DELAY)
    world.rooms, world.knows = {"room": {"alice"}}, False
    await world.pass_time(departures, 2)
    assert world.done == [(1001, "restart")]
    assert jobs(file) == 0


async def test_a_new_leave_replaces_the_callers_old_one(
    world: World, departures: Departures, file: Path
) -> None:
    departures.watch("room", "alice", Delay("other", 100))
    departures.watch("room", "alice", DELAY)
    world.rooms = {"room": {"alice"}}
    await world.pass_time(departures, 1)
    assert jobs(file) == 1


@pytest.mark.parametrize("text", ["", "x", "{}", "[1]", '[{"room": 1}]'])
def test_a_broken_file_stops_nobody(world: World, file: Path, text: str) -> None:
    file.write_text(text)
    start(world, file)
