"""The bodies of requests, judged: every field of the right kind and of a sensible size. Pure.

Unknown fields are let pass: clients send more with every version. Source: MSC4195.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

from appliance.rtc.errors import bad_json, not_json
from appliance.rtc.identifiers import name_device, name_member, name_room

_MAXIMUM_CHARACTERS = 1024
_MAXIMUM_DELAY_MILLISECONDS = 24 * 3600 * 1000
_DELAY_ID = re.compile(r"[A-Za-z0-9_.~-]{1,255}")


@dataclass(frozen=True)
class Delay:
    """A delayed event that shall be sent when its caller has left."""

    delay_id: str
    timeout_seconds: float


@dataclass(frozen=True)
class Call:
    """Who wants to be in which call, as far as it is the caller's word."""

    room: str
    device_id: str
    member_id: str | None
    claimed_user_id: str | None
    server: str
    token: str
    delay: Delay | None

    def identity_of(self, user_id: str) -> str:
        """Return the caller's name in LiveKit, for the user that the token turned out to be of."""
        if self.member_id is None:
            return name_device(user_id, self.device_id)
        return name_member(user_id, self.device_id, self.member_id)


def parse_device(body: bytes) -> Call:
    """Judge the body of `/sfu/get`, the older endpoint."""
    values = _parse(body)
    server, token = _openid(values)
    return Call(
        room=name_room(_text(values, "room")),
        device_id=_text(values, "device_id"),
        member_id=None,
        claimed_user_id=None,
        server=server,
        token=token,
        delay=_delay(values),
    )


def parse_member(body: bytes) -> Call:
    """Judge the body of `/get_token` and `/delegate_delayed_leave`."""
    values = _parse(body)
    server, token = _openid(values)
    return Call(
        room=name_room(_text(values, "room_id"), _text(values, "slot_id")),
        device_id=_text(values, "member", "claimed_device_id"),
        member_id=_text(values, "member", "id"),
        claimed_user_id=_text(values, "member", "claimed_user_id"),
        server=server,
        token=token,
        delay=_delay(values),
    )


def _parse(body: bytes) -> dict[str, Any]:
    try:
        values = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise not_json() from error
    if not isinstance(values, dict):
        raise not_json()
    return values


def _openid(values: dict[str, Any]) -> tuple[str, str]:
    """Return the server that an OpenID token is of, and the token."""
    return (
        _text(values, "openid_token", "matrix_server_name"),
        _text(values, "openid_token", "access_token"),
    )


def _text(values: dict[str, Any], *path: str) -> str:
    """Return the text at a path of keys. Raise RefusedError if there is none."""
    value: Any = values
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    name = ".".join(path)
    if not isinstance(value, str) or not value:
        raise bad_json(f"{name} is missing, or is not a text.")
    # Half of a surrogate pair is a text for Python, and none that could be sent anywhere.
    if len(value) > _MAXIMUM_CHARACTERS or not value.isprintable():
        raise bad_json(f"{name} is too long, or has characters that it cannot have.")
    return value


def _delay(values: dict[str, Any]) -> Delay | None:
    given = [key for key in ("delay_id", "delay_timeout") if values.get(key) is not None]
    if not given:
        return None
    if len(given) == 1:
        raise bad_json("delay_id and delay_timeout belong together.")
    delay_id, milliseconds = _text(values, "delay_id"), values["delay_timeout"]
    if not _DELAY_ID.fullmatch(delay_id):
        raise bad_json("delay_id has characters that it cannot have.")
    if type(milliseconds) is not int or not 0 < milliseconds <= _MAXIMUM_DELAY_MILLISECONDS:
        raise bad_json("delay_timeout is not a number of milliseconds, at most a day.")
    return Delay(delay_id, milliseconds / 1000)
