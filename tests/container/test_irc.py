"""The bridge to IRC carries messages of a real IRC server, whatever is restarted under it."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import nio
import pytest

from appliance.testing import free_port

from . import irc
from .appliances import Appliance, until
from .nio_client import Client

BOT = "@heisenbridge:matrix.localhost"
CHANNEL = "#room"


@dataclass(frozen=True)
class Conversation:
    """Alice in a channel by the bridge, Carol there by IRC."""

    alice: Client
    room: str
    carol: irc.Person

    async def carry(self, text: str) -> None:
        """Have a message carried each way."""
        await self.alice.send(self.room, {"msgtype": "m.text", "body": f"{text} to IRC"})
        await self.alice.sync_until(lambda: self.carol.heard(f"{text} to IRC"), f"{text} to IRC")
        self.carol.say(f"{text} from IRC")
        ghost = "@irc_net_carol:matrix.localhost"
        await self.alice.sync_until(
            lambda: self.texts(ghost, f"{text} from IRC"), f"{text} from IRC"
        )

    def texts(self, sender: str, words: str) -> list[str]:
        return [
            event.body
            for room, event in self.alice.events
            if room == self.room
            and isinstance(event, nio.RoomMessageText)
            and event.sender == sender
            and words in event.body
        ]


@pytest.fixture
async def bridged(tmp_path: Path) -> AsyncIterator[Appliance]:
    port = free_port()
    appliance = Appliance().with_variables(
        MATRIX_BRIDGES="heisenbridge", MATRIX_BRIDGE_ADMINS="alice"
    )
    appliance.publish(irc.PORT, port)
    appliance.expect(r"synapse ERROR: +duplicate key .*users_name_key", "the bot has its account")
    appliance.expect(r"duplicate key .*worker_read_write_locks", "Synapse waits for its lock")
    appliance.expect(r"state_key=@irc_net_.* You are not invited", "a ghost asks, then is invited")
    with appliance, irc.serve(appliance):
        appliance.irc_port = port  # type: ignore[attr-defined]
        yield appliance


async def converse(appliance: Appliance, alice: Client, carol: irc.Person) -> Conversation:
    """Connect Alice to the channel, as the bot's help says."""

    async def say(room: str, text: str, answer: str) -> None:
        before = len(alice.events)
        await alice.send(room, {"msgtype": "m.text", "body": text})

        def find() -> bool:
            return any(
                where == room and answer.lower() in getattr(event, "body", "").lower()
                for where, event in alice.events[before:]
            )

        await alice.sync_until(find, f"{text}: {answer}")

    made = await alice.nio.room_create(is_direct=True, invite=[BOT])
    assert isinstance(made, nio.RoomCreateResponse), made
    control = made.room_id
    await alice.sync_until(
        lambda: any(
            room == control and event.sender == BOT and hasattr(event, "body")
            for room, event in alice.events
        ),
        "the bot greets",
    )
    await say(control, "ADDNETWORK net", "added")
    await say(control, f"ADDSERVER net 127.0.0.1 {irc.PORT}", "added")
    await say(control, "OPEN net", "invited")
    network = await join(alice, lambda room: "net" in (room.name or ""))
    await say(network, "NICK alice_two", "nickname set")
    await say(network, "CONNECT", "end of motd")
    await say(network, f"JOIN {CHANNEL}", "")
    room = await join(alice, lambda room: CHANNEL in (room.name or ""))
    return Conversation(alice, room, carol)


async def join(client: Client, condition: Callable[[nio.MatrixInvitedRoom], bool]) -> str:
    """Wait for an invitation, follow it and return its room."""

    def find() -> list[str]:
        return [name for name, room in client.nio.invited_rooms.items() if condition(room)]

    await client.sync_until(find, "an invitation")
    room = find()[0]
    await client.nio.join(room)
    await client.sync_until(lambda: room in client.nio.rooms, "the room")
    return room


async def test_messages_pass_whatever_is_restarted(bridged: Appliance, tmp_path: Path) -> None:
    appliance = bridged
    alice = Client(appliance, "alice", tmp_path / "alice")
    with irc.Person(appliance.irc_port, "carol", CHANNEL) as carol:  # type: ignore[attr-defined]
        conversation = await converse(appliance, alice, carol)
        await conversation.carry("at first")
        assert appliance.unexpected_lines() == []
        appliance.expect(r".", "what it stands on is killed")
        for program in ("heisenbridge", "synapse", "postgres"):
            joins = len(carol.heard(" JOIN "))
            killed = appliance.program(program).pid
            appliance.kill_process(killed)
            until(
                lambda name=program, pid=killed: appliance.program(name).pid not in (None, pid),
                program,
            )
            until(appliance.is_ready, "clients are answered")
            if program == "heisenbridge":
                await alice.sync_until(
                    lambda before=joins: len(carol.heard(" JOIN ")) > before, "back in the channel"
                )
            await conversation.carry(f"after {program}")
    await alice.nio.close()
