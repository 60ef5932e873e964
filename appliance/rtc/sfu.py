"""LiveKit as the service uses it: rooms made, callers seen, tokens signed.

Its API takes JSON, so no library of LiveKit's is needed. Source: LiveKit's documentation, "Server
APIs" and "Access tokens"; RFC 7519.
"""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterable
from typing import Any

from appliance.rtc.configuration import Configuration
from appliance.rtc.errors import UnreachableError
from appliance.rtc.http_client import Answer, ask_local

_TOKEN_SECONDS = 3600
_OWN_TOKEN_SECONDS = 60
_CLOCK_SLACK_SECONDS = 5
# A room lives that long before its first caller and after its last one.
_EMPTY_SECONDS = 300
_DEPARTURE_SECONDS = 20


class Sfu:
    """LiveKit."""

    def __init__(self, configuration: Configuration) -> None:
        self._url = configuration.livekit
        self._key = configuration.livekit_key
        self._secret = configuration.livekit_secret.encode()

    def make_caller_token(self, room: str, identity: str, *, may_create: bool) -> str:
        """Return what lets a caller into a room.

        With `may_create` LiveKit makes the room anew when the caller comes back after LiveKit has
        been restarted. It opens LiveKit's own API too, which nginx therefore hides.
        """
        rights = ("roomJoin", "canPublish", "canSubscribe", "canUpdateOwnMetadata")
        grant = {**dict.fromkeys(rights, True), "room": room, "roomCreate": may_create}
        return self._sign(grant, _TOKEN_SECONDS, identity)

    async def ensure_room(self, room: str) -> None:
        """Make a room, if it is not there. Raise UnreachableError."""
        values = {
            "name": room,
            "empty_timeout": _EMPTY_SECONDS,
            "departure_timeout": _DEPARTURE_SECONDS,
        }
        answer = await self._call("CreateRoom", {"roomCreate": True}, values)
        if answer.status != 200:
            raise UnreachableError(f"LiveKit makes no room: status {answer.status}")

    async def list_rooms(self, rooms: Iterable[str]) -> set[str]:
        """Return which of these rooms there are. Raise UnreachableError."""
        answer = await self._call("ListRooms", {"roomList": True}, {"names": [*rooms]})
        return {room["name"] for room in _rows(answer, "rooms")}

    async def list_callers(self, room: str) -> set[str]:
        """Return who is in a room. Raise UnreachableError."""
        grant = {"roomAdmin": True, "room": room}
        answer = await self._call("ListParticipants", grant, {"room": room})
        return {caller["identity"] for caller in _rows(answer, "participants")}

    async def _call(self, method: str, grant: dict[str, Any], values: dict[str, Any]) -> Answer:
        token = self._sign(grant, _OWN_TOKEN_SECONDS)
        url = f"{self._url}/twirp/livekit.RoomService/{method}"
        return await ask_local("POST", url, values, {"Authorization": f"Bearer {token}"})

    def _sign(self, grant: dict[str, Any], seconds: int, identity: str = "") -> str:
        now = int(time.time())
        claims = {
            "iss": self._key,
            "nbf": now - _CLOCK_SLACK_SECONDS,
            "exp": now + seconds,
            "video": grant,
        }
        if identity:
            claims["sub"] = identity
        head = _encode(json.dumps({"alg": "HS256", "typ": "JWT"}).encode())
        text = f"{head}.{_encode(json.dumps(claims).encode())}"
        signature = hmac.digest(self._secret, text.encode(), hashlib.sha256)
        return f"{text}.{_encode(signature)}"


def _rows(answer: Answer, name: str) -> list[dict[str, Any]]:
    if answer.status != 200:
        raise UnreachableError(f"LiveKit answers with status {answer.status}")
    rows: list[dict[str, Any]] = answer.object().get(name, [])
    return rows


def _encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")
