"""`appliance.testing.MatrixFederation`, as another project's tests use it."""

import asyncio
import io
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass

import nio
import pytest

from appliance.testing import FederatedAppliance, MatrixFederation, User

from .volumes import IMAGE

PATIENCE_SECONDS = 90


@dataclass(frozen=True)
class Scene:
    """Two servers that talk to each other alone, and a third one that would like to."""

    one: FederatedAppliance
    two: FederatedAppliance
    stranger: FederatedAppliance


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    with MatrixFederation(IMAGE) as federation, ExitStack() as stack:
        servers = [federation.server(name) for name in ("one", "two", "stranger")]
        one, two, _ = servers
        for server, friend in ((one, two), (two, one)):
            server.with_variables(
                MATRIX_FEDERATION="allowlist", MATRIX_FEDERATION_ALLOWLIST=friend.server_name
            )
        yield Scene(*(stack.enter_context(server) for server in servers))


@asynccontextmanager
async def log_in(server: FederatedAppliance, user: User) -> AsyncIterator[nio.AsyncClient]:
    client = nio.AsyncClient(server.client_url, user.user_id)
    client.restore_login(user.user_id, user.device_id, user.access_token)
    try:
        yield client
    finally:
        await client.close()


async def hear(client: nio.AsyncClient, room: str, text: str) -> nio.RoomMessageText:
    """Wait for a message of a room."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            page = await client.room_messages(room, limit=20)
            for event in page.chunk if isinstance(page, nio.RoomMessagesResponse) else ():
                if isinstance(event, nio.RoomMessageText) and event.body == text:
                    return event
            await asyncio.sleep(0.1)


async def say(client: nio.AsyncClient, room: str, text: str) -> None:
    content = {"msgtype": "m.text", "body": text}
    sent = await client.room_send(room, "m.room.message", content)
    assert isinstance(sent, nio.RoomSendResponse), sent


async def test_messages_and_media_go_both_ways(scene: Scene) -> None:
    one, two = scene.one, scene.two
    alice_user, bob_user = one.create_user("alice"), two.create_user("bob")
    assert bob_user.user_id == "@bob:matrix.two.federation.test"
    async with log_in(one, alice_user) as alice, log_in(two, bob_user) as bob:
        made = await alice.room_create(invite=[bob.user_id])
        assert isinstance(made, nio.RoomCreateResponse), made
        joined = await bob.join(made.room_id)
        assert isinstance(joined, nio.JoinResponse), joined
        await say(alice, made.room_id, "from one")
        assert (await hear(bob, made.room_id, "from one")).sender == alice.user_id
        await say(bob, made.room_id, "from two")
        assert (await hear(alice, made.room_id, "from two")).sender == bob.user_id
        for sender, receiver in ((alice, bob), (bob, alice)):
            picture = sender.user_id.encode() * 1000
            uploaded, _ = await sender.upload(
                lambda *_, content=picture: io.BytesIO(content), "image/png", filesize=len(picture)
            )
            assert isinstance(uploaded, nio.UploadResponse), uploaded
            downloaded = await receiver.download(uploaded.content_uri)
            assert isinstance(downloaded, nio.MemoryDownloadResponse), downloaded
            assert downloaded.body == picture


async def test_a_server_that_is_not_on_the_list_is_kept_out(scene: Scene) -> None:
    mallory_user = scene.stranger.create_user("mallory")
    carol_user = scene.one.create_user("carol")
    async with log_in(scene.one, carol_user) as carol:
        made = await carol.room_create(
            visibility=nio.RoomVisibility.public, preset=nio.RoomPreset.public_chat, alias="all"
        )
        assert isinstance(made, nio.RoomCreateResponse), made
        invited = await carol.room_invite(made.room_id, mallory_user.user_id)
        assert isinstance(invited, nio.RoomInviteError)
        async with log_in(scene.stranger, mallory_user) as mallory:
            for address in (made.room_id, f"#all:{scene.one.server_name}"):
                assert isinstance(await mallory.join(address), nio.JoinError)
        members = await carol.joined_members(made.room_id)
        assert isinstance(members, nio.JoinedMembersResponse), members
        assert {member.user_id for member in members.members} == {carol.user_id}
