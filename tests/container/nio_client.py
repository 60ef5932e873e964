"""An account on one device with matrix-nio and its encryption, as a bot or a small client has."""

import asyncio
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import nio

from .appliances import Appliance

WITHIN_SECONDS = 90


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
            assert time.monotonic() < deadline, (
                f"not within {WITHIN_SECONDS} s: {what}\n{self._describe_last()}"
            )
            async with asyncio.timeout(WITHIN_SECONDS):
                await self.nio.sync(timeout=500)
                if self.nio.should_upload_keys:
                    await self.nio.keys_upload()
                if self.nio.should_query_keys:
                    await self.nio.keys_query()
                await self.nio.send_to_device_messages()

    def _describe_last(self) -> str:
        texts = [(event.sender, getattr(event, "body", type(event))) for _, event in self.events]
        return "\n".join(f"{sender}: {text}" for sender, text in texts[-10:])

    async def receive(self, kind: type[nio.Event], sender: str) -> nio.Event:
        """Return the next event of a kind from somebody."""

        def find() -> list[nio.Event]:
            return [one for _, one in self.events if isinstance(one, kind) and one.sender == sender]

        await self.sync_until(find)
        event = find()[0]
        self.events = [(room, one) for room, one in self.events if one is not event]
        return event

    async def send(self, room: str, content: dict[str, object]) -> str:
        """Send a message as clients do, which try again while the server has an error; its ID."""
        transaction, deadline = uuid.uuid4().hex, time.monotonic() + WITHIN_SECONDS
        while True:
            sent = await self.nio.room_send(
                *(room, "m.room.message", content),
                tx_id=transaction,
                ignore_unverified_devices=True,
            )
            if isinstance(sent, nio.RoomSendResponse):
                return str(sent.event_id)
            assert sent.status_code == "M_UNKNOWN", sent
            assert time.monotonic() < deadline, sent
            await asyncio.sleep(0.2)
