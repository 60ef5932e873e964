import json
from typing import Any

import pytest

from appliance.rtc.bodies import Delay, parse_device, parse_member
from appliance.rtc.errors import RefusedError
from appliance.rtc.identifiers import name_member, name_room

OPENID = {"access_token": "t", "token_type": "Bearer", "matrix_server_name": "s", "expires_in": 1}
DEVICE = {"room": "!r:s", "openid_token": OPENID, "device_id": "D"}
MEMBER = {
    "room_id": "!r:s",
    "slot_id": "m.call#ROOM",
    "openid_token": OPENID,
    "member": {"id": "m", "claimed_user_id": "@u:s", "claimed_device_id": "D"},
}


def refusal(body: bytes) -> str:
    with pytest.raises(RefusedError) as refused:
        parse_member(body)
    assert refused.value.status == 400
    return refused.value.body["errcode"]


def test_device() -> None:
    call = parse_device(json.dumps(DEVICE).encode())
    assert call.room == name_room("!r:s")
    assert call.identity_of("@u:s") == "@u:s:D"
    assert (call.server, call.token, call.delay) == ("s", "t", None)


def test_member() -> None:
    call = parse_member(json.dumps({**MEMBER, "of_a_later_version": 1}).encode())
    assert call.room == name_room("!r:s")
    assert call.identity_of("@u:s") == name_member("@u:s", "D", "m")
    assert call.claimed_user_id == "@u:s"


def test_delay() -> None:
    body = {**MEMBER, "delay_id": "syd_abc", "delay_timeout": 3_600_000, "delay_cs_api_url": "x"}
    assert parse_member(json.dumps(body).encode()).delay == Delay("syd_abc", 3600)


@pytest.mark.parametrize(
    "body", [b"", b"x", b"[]", b'"x"', b"1", b"null", b"[" * 16000, b"\xff", b'{"a":']
)
def test_what_is_no_object(body: bytes) -> None:
    assert refusal(body) == "M_NOT_JSON"


@pytest.mark.parametrize("value", [None, "", 1, True, [], {}, "x" * 1025, "a\0b", "\ud800", "a\nb"])
@pytest.mark.parametrize("key", ["room_id", "slot_id"])
def test_wrong_values(key: str, value: Any) -> None:
    assert refusal(json.dumps({**MEMBER, key: value}).encode()) == "M_BAD_JSON"


@pytest.mark.parametrize("key", ["openid_token", "member"])
@pytest.mark.parametrize("value", [None, "x", 1, [], {}])
def test_wrong_objects(key: str, value: Any) -> None:
    assert refusal(json.dumps({**MEMBER, key: value}).encode()) == "M_BAD_JSON"


@pytest.mark.parametrize(
    "delay",
    [
        {"delay_id": "x"},
        {"delay_timeout": 1},
        {"delay_id": "x/../y", "delay_timeout": 1},
        {"delay_id": "x", "delay_timeout": 0},
        {"delay_id": "x", "delay_timeout": True},
        {"delay_id": "x", "delay_timeout": 1.5},
        {"delay_id": "x", "delay_timeout": "1"},
        {"delay_id": "x", "delay_timeout": 24 * 3600 * 1000 + 1},
    ],
)
def test_wrong_delays(delay: dict[str, Any]) -> None:
    assert refusal(json.dumps({**MEMBER, **delay}).encode()) == "M_BAD_JSON"
