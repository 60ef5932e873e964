"""The endpoints: from a request to an answer. Source: MSC4195.

Says no to whoever nobody vouches for; knows neither sockets nor files.
"""

import json
import logging
from collections.abc import Mapping
from typing import Any

from appliance.http_server import Request, Response
from appliance.rtc import bodies
from appliance.rtc.bodies import Call
from appliance.rtc.departures import Departures
from appliance.rtc.errors import RefusedError, UnreachableError, bad_json, unauthorized
from appliance.rtc.openid import User, Verifier
from appliance.rtc.sfu import Sfu

_log = logging.getLogger("rtc")
_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "POST",
    "Access-Control-Allow-Headers": "Accept, Content-Type, Content-Length, Accept-Encoding, "
    "X-CSRF-Token",
}
_HEALTH = "/healthz"


class Service:
    """The authorization service."""

    def __init__(
        self, public_livekit: str, verifier: Verifier, sfu: Sfu, departures: Departures
    ) -> None:
        self._public_livekit = public_livekit
        self._verifier = verifier
        self._sfu = sfu
        self._departures = departures
        self._endpoints = {
            "/sfu/get": self._get_for_device,
            "/get_token": self._get_for_member,
            "/delegate_delayed_leave": self._delegate_leave,
        }

    async def handle(self, request: Request) -> Response:
        """Answer a request."""
        if request.path == _HEALTH:
            return Response(200 if request.method in ("GET", "HEAD") else 405)
        endpoint = self._endpoints.get(request.path)
        if endpoint is None:
            return _respond(404, {"errcode": "M_UNRECOGNIZED", "error": "No such endpoint."})
        if request.method == "OPTIONS":
            return Response(200, headers=_CORS)
        if request.method != "POST":
            return Response(405, headers=_CORS)
        try:
            return _respond(200, await endpoint(request.body))
        except RefusedError as refusal:
            return _respond(refusal.status, refusal.body)

    async def _get_for_device(self, body: bytes) -> dict[str, Any]:
        return await self._admit(bodies.parse_device(body))

    async def _get_for_member(self, body: bytes) -> dict[str, Any]:
        return await self._admit(bodies.parse_member(body))

    async def _delegate_leave(self, body: bytes) -> dict[str, Any]:
        call = bodies.parse_member(body)
        if call.delay is None:
            raise bad_json("delay_id and delay_timeout are missing.")
        user = await self._identify(call)
        if not user.ours:
            raise RefusedError(403, "M_FORBIDDEN", "Only for users of this server.")
        self._departures.watch(call.room, call.identity_of(user.user_id), call.delay)
        return {}

    async def _admit(self, call: Call) -> dict[str, Any]:
        """Return a token for LiveKit; for one of our users the room is made first."""
        user = await self._identify(call)
        identity = call.identity_of(user.user_id)
        if call.delay and not user.ours:
            raise bad_json("Leaving can be delegated by users of this server only.")
        if user.ours:
            try:
                await self._sfu.ensure_room(call.room)
            except UnreachableError as error:
                _log.warning("a call cannot begin: %s", error)
                raise RefusedError(500, "M_UNKNOWN", "The call cannot be made now.") from error
        if call.delay:
            self._departures.watch(call.room, identity, call.delay)
        token = self._sfu.make_caller_token(call.room, identity, may_create=user.ours)
        return {"url": self._public_livekit, "jwt": token}

    async def _identify(self, call: Call) -> User:
        user = await self._verifier.verify(call.server, call.token)
        if call.claimed_user_id not in (None, user.user_id):
            raise unauthorized()
        return user


def _respond(status: int, body: Mapping[str, Any]) -> Response:
    headers = {**_CORS, "Content-Type": "application/json", "Cache-Control": "no-store"}
    return Response(status, json.dumps(body).encode(), headers)
