"""An account on one device with matrix-nio and its encryption, as a bot or a small client has."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import nio

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

    async def sync_until(self, condition: Callable[[], object], what: str = "") -> None:
        deadline = time.monotonic() + WITHIN_SECONDS
        while not condition():
            assert time.monotonic() < deadline, f"not within {WITHIN_SECONDS} s: {what}"
            async with asyncio.timeout(WITHIN_SECONDS):
                await self.nio.sync(timeout=500)
                if self.nio.should_upload_keys:
                    await self.nio.keys_upload()
                if self.nio.should_query_keys:
                    await self.nio.keys_query()
                await self.nio.send_to_device_messages()

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
