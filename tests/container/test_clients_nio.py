"""Two people with matrix-nio and its encryption, as bots and small clients are made."""

import asyncio
import io
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import nio
import pytest
from nio.crypto import decrypt_attachment

from .appliances import Appliance

WITHIN_SECONDS = 30


class Client:
    """An account on one device that syncs when somebody waits for something."""

    def __init__(self, appliance: Appliance, name: str, store: Path) -> None:
        store.mkdir()
        user = appliance.create_user(name)
        self.user_id = user.user_id
        self.nio = nio.AsyncClient(
            appliance.client_url,
            user.user_id,
            store_path=str(store),
            config=nio.AsyncClientConfig(encryption_enabled=True),
        )
        self.nio.restore_login(user.user_id, user.device_id, user.access_token)
        self.events: list[tuple[str, nio.Event]] = []
        self.nio.add_event_callback(self._note, nio.Event)

    async def _note(self, room: nio.MatrixRoom, event: nio.Event) -> None:
        self.events.append((room.room_id, event))

    async def sync_until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(WITHIN_SECONDS):
            while not condition():
                await self.nio.sync(timeout=500)
                if self.nio.should_upload_keys:
                    await self.nio.keys_upload()
                if self.nio.should_query_keys:
                    await self.nio.keys_query()

    async def receive(self, kind: type[nio.Event], sender: str) -> nio.Event:
        """Return the next event of a kind from somebody."""

        def find() -> list[nio.Event]:
            return [one for _, one in self.events if isinstance(one, kind) and one.sender == sender]

        await self.sync_until(find)
        event = find()[0]
        self.events = [(room, one) for room, one in self.events if one is not event]
        return event

    async def send(self, room: str, content: dict[str, object]) -> None:
        sent = await self.nio.room_send(
            room, "m.room.message", content, ignore_unverified_devices=True
        )
        assert isinstance(sent, nio.RoomSendResponse), sent


@pytest.fixture
async def people(trial: Appliance, tmp_path: Path) -> AsyncIterator[tuple[Client, Client]]:
    alice, bob = (Client(trial, name, tmp_path / name) for name in ("nio-alice", "nio-bob"))
    yield alice, bob
    for client in (alice, bob):
        await client.nio.close()


async def test_encrypted_text_and_file_are_read_by_the_other(people: tuple[Client, Client]) -> None:
    alice, bob = people
    for client in people:  # their keys are on the server from then on
        await client.sync_until(lambda client=client: not client.nio.should_upload_keys)
    made = await alice.nio.room_create(
        invite=[bob.user_id], initial_state=[nio.EnableEncryptionBuilder().as_dict()]
    )
    assert isinstance(made, nio.RoomCreateResponse), made
    room = made.room_id
    await bob.nio.join(room)
    for client in people:
        await client.sync_until(
            lambda client=client: (
                room in client.nio.rooms
                and client.nio.rooms[room].encrypted
                and client.nio.rooms[room].joined_count == 2
                and not client.nio.should_query_keys
            )
        )

    await alice.send(room, {"msgtype": "m.text", "body": "hello Bob"})
    heard = await bob.receive(nio.RoomMessageText, alice.user_id)
    assert (heard.body, heard.decrypted) == ("hello Bob", True)

    await bob.send(room, {"msgtype": "m.text", "body": "hello Alice"})
    heard = await alice.receive(nio.RoomMessageText, bob.user_id)
    assert (heard.body, heard.decrypted) == ("hello Alice", True)

    content = os.urandom(300_000)
    uploaded, keys = await alice.nio.upload(
        lambda *_: io.BytesIO(content),
        "application/octet-stream",
        encrypt=True,
        filesize=len(content),
    )
    assert isinstance(uploaded, nio.UploadResponse), uploaded
    await alice.send(
        room,
        {"msgtype": "m.file", "body": "file.bin", "file": {**keys, "url": uploaded.content_uri}},
    )
    file = await bob.receive(nio.RoomEncryptedFile, alice.user_id)
    stored = await bob.nio.download(file.url)
    assert isinstance(stored, nio.DownloadResponse), stored
    assert stored.body != content, "the server must not see it"
    assert decrypt_attachment(stored.body, file.key["k"], file.hashes["sha256"], file.iv) == content
