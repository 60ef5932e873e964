"""A room with a bridge's bot, encrypted or not, as somebody has who wants to use that bridge."""

from dataclasses import dataclass

import nio

from .nio_client import Client


@dataclass(frozen=True)
class Conversation:
    """A room with a bot, and whose it is. The prefix works in every room with it."""

    client: Client
    bot: str
    room: str
    prefix: str

    @classmethod
    async def begin(
        cls, client: Client, bot: str, prefix: str, *, encrypted: bool
    ) -> "Conversation":
        """Invite a bot into a room of its own and wait until it is there."""
        await client.sync_until(lambda: not client.nio.should_upload_keys)
        state = [nio.EnableEncryptionBuilder().as_dict()] if encrypted else []
        # As clients make a chat with one other: that one may take back what tells a password.
        made = await client.nio.room_create(
            is_direct=True,
            invite=[bot],
            preset=nio.RoomPreset.trusted_private_chat,
            initial_state=state,
        )
        assert isinstance(made, nio.RoomCreateResponse), made
        room = made.room_id

        def is_there() -> bool:
            rooms = client.nio.rooms
            return (
                room in rooms
                and rooms[room].encrypted == encrypted
                and bot in rooms[room].users
                and not rooms[room].users[bot].invited
                and not client.nio.should_query_keys
            )

        await client.sync_until(is_there)
        return cls(client, bot, room, prefix)

    async def ask(self, command: str, answer: str) -> str:
        """Say a command and return the bot's answer that has some words in it."""
        await self.say(command)
        return await self.hear(answer)

    async def say(self, command: str) -> None:
        text = f"{self.prefix} {command}"
        await self.client.send(self.room, {"msgtype": "m.text", "body": text})

    async def hear(self, words: str) -> str:
        """Wait for something of the bot's with some words in it; encrypted where the room is."""

        def find() -> list[nio.RoomMessageFormatted]:
            return [
                event
                for room, event in self.client.events
                if room == self.room
                and event.sender == self.bot
                and isinstance(event, nio.RoomMessageFormatted)
                and words.lower() in event.body.lower()
            ]

        await self.client.sync_until(find, f"{words!r} of {self.bot}")
        heard = find()[0]
        self.client.events = [one for one in self.client.events if one[1] is not heard]
        assert heard.decrypted == self.client.nio.rooms[self.room].encrypted
        return str(heard.body)
