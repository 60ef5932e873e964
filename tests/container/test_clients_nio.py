"""Two people with matrix-nio and its encryption, as bots and small clients are made."""

import io
import os
from collections.abc import AsyncIterator
from pathlib import Path

import nio
import pytest
from nio.crypto import decrypt_attachment

from .appliances import Appliance
from .nio_client import Client


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
