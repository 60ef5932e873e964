"""Somebody who uses the bridge: a client with encryption, its room with the bot, and one chat."""

import hashlib
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self

import nio
from nio.crypto import decrypt_attachment

from tests.container.appliances import Appliance
from tests.container.bot_conversation import Conversation
from tests.container.bridge import BOT, PREFIX, Network
from tests.container.nio_client import Client

PASSWORD = "a password of the network"


class Person:
    """Somebody with an account in the network, of the same name."""

    def __init__(self, client: Client, network: Network, bot: Conversation, account: str) -> None:
        self.client = client
        self.network = network
        self.bot = bot
        self.account = account
        self.receipts: list[tuple[str, str]] = []
        client.nio.add_ephemeral_callback(self._note_receipts, nio.ReceiptEvent)

    @classmethod
    @asynccontextmanager
    async def enter(
        cls, appliance: Appliance, network: Network, folder: Path, account: str, *, encrypted: bool
    ) -> AsyncIterator[Self]:
        """Begin a conversation with the bot, not yet logged in."""
        client = Client(appliance, account, folder / account)
        try:
            network.add(account, PASSWORD)
            bot = await Conversation.begin(client, BOT, PREFIX, encrypted=encrypted)
            yield cls(client, network, bot, account)
        finally:
            await client.nio.close()

    async def _note_receipts(self, room: nio.MatrixRoom, event: nio.ReceiptEvent) -> None:
        del room
        self.receipts += [(receipt.user_id, receipt.event_id) for receipt in event.receipts]

    async def begin_anew(self) -> None:
        """Begin another conversation: in the old room this client has no keys for a new device."""
        encrypted = bool(self.client.nio.rooms[self.bot.room].encrypted)
        self.bot = await Conversation.begin(self.client, BOT, PREFIX, encrypted=encrypted)

    async def log_in(self, command: str = "login password") -> None:
        """Log in as the bot asks for it."""
        await self.bot.ask(command, "enter your name")
        await self.bot.ask(self.account, "enter your password")
        await self.bot.ask(PASSWORD, f"logged in as {self.account}")

    async def meet(self, chat: str) -> "Chat":
        """Have somebody write for the first time, and return the chat that comes of it."""
        before = len(self.client.events)
        self.network.write(self.account, chat, f"{chat} is here")
        ghost = f"@fixture_{chat}:matrix.localhost"
        rooms: list[str] = []

        def find() -> bool:
            rooms[:] = [
                room
                for room, event in self.client.events[before:]
                if event.sender == ghost and getattr(event, "body", "") == f"{chat} is here"
            ]
            return bool(rooms)

        await self.client.sync_until(find, f"a room with {ghost}")
        return Chat(self, chat, ghost, rooms[-1])


class Chat:
    """A chat with one person of the network."""

    def __init__(self, person: Person, name: str, ghost: str, room: str) -> None:
        self.person = person
        self.name = name
        self.ghost = ghost
        self.room = room
        self._client = person.client
        self._network = person.network
        self._account = person.account

    @property
    def encrypted(self) -> bool:
        return bool(self._client.nio.rooms[self.room].encrypted)

    async def send(self, text: str) -> str:
        """Send a text and return its event."""
        return await self._client.send(self.room, {"msgtype": "m.text", "body": text})

    async def delivered(self, *texts: str) -> None:
        """Wait until the network has texts."""
        await self._client.sync_until(
            lambda: set(texts) <= set(self._network.texts(self._account)), f"{texts} are sent"
        )

    def write(self, *texts: str, mine: bool = False) -> None:
        """Have the other one write."""
        for text in texts:
            self._network.write(self._account, self.name, text, mine=mine)

    async def hear(self, *texts: str, sender: str = "") -> nio.Event:
        """Wait until texts are in the room and return the last one's event."""

        def all_here() -> bool:
            return all(self.find(text, sender) for text in texts)

        await self._client.sync_until(all_here, f"{texts} of {sender or self.ghost}")
        event = self.find(texts[-1], sender)
        assert event
        assert event.decrypted == self.encrypted
        return event

    def find(self, body: str, sender: str = "") -> nio.Event | None:
        return next(
            (
                event
                for room, event in self._client.events
                if room == self.room
                and event.sender == (sender or self.ghost)
                and getattr(event, "body", None) == body
            ),
            None,
        )

    async def send_file(self, name: str, data: bytes) -> None:
        """Send a file, encrypted where the room is."""
        kind = "application/octet-stream"
        answer, keys = await self._client.nio.upload(
            io.BytesIO(data), kind, name, encrypt=self.encrypted, filesize=len(data)
        )
        assert isinstance(answer, nio.UploadResponse), answer
        where: dict[str, object] = {"url": answer.content_uri}
        if keys:
            where = {"file": {**keys, "url": answer.content_uri}}
        info = {"mimetype": kind, "size": len(data)}
        content = {"msgtype": "m.file", "body": name, "info": info, **where}
        await self._client.send(self.room, content)

        def arrived() -> bool:
            return digest(self._network.files(self._account).get(name, b"")) == digest(data)

        await self._client.sync_until(arrived, f"{name} is sent as it was")

    async def receive_file(self, name: str, data: bytes) -> None:
        """Have the other one send a file, and compare what comes."""
        self._network.send_file(self._account, self.name, name, data)
        event = await self.hear(name)
        answer = await self._client.nio.download(event.url)
        assert isinstance(answer, nio.DownloadResponse), answer
        body = answer.body
        if isinstance(event, nio.RoomEncryptedFile):
            body = decrypt_attachment(body, event.key["k"], event.hashes["sha256"], event.iv)
        assert isinstance(event, nio.RoomEncryptedFile) == self.encrypted
        assert digest(body) == digest(data)


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
