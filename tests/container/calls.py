"""The MatrixRTC authorization service and LiveKit behind it, asked as a client asks them."""

import base64
import json
from collections.abc import Mapping
from typing import Any

from .appliances import until
from .http_client import Account, Answer, Site

SERVICE = "/livekit/jwt"
SFU = "/livekit/sfu"


def device_body(account: Account, room: str, **more: Any) -> dict[str, Any]:
    """Return what an older client posts to `/sfu/get`."""
    token = account.openid_token()
    return {"room": room, "openid_token": token, "device_id": account.device_id, **more}


def member_body(account: Account, room: str, **more: Any) -> dict[str, Any]:
    """Return what a client posts to `/get_token` and `/delegate_delayed_leave`."""
    member = {
        "id": f"member-of-{account.device_id}",
        "claimed_user_id": account.user_id,
        "claimed_device_id": account.device_id,
    }
    token = account.openid_token()
    return {
        "room_id": room,
        "slot_id": "m.call#ROOM",
        "openid_token": token,
        "member": member,
        **more,
    }


def post(site: Site, endpoint: str, body: Mapping[str, Any] | bytes) -> Answer:
    """Ask the service, as patiently as it wants callers to be who ask all the time."""
    headers = {"Content-Type": "application/json"}
    return until(
        lambda: (
            None
            if (answer := site.request("POST", f"{SERVICE}{endpoint}", body, headers)).status == 429
            else answer
        ),
        "it takes another question",
    )


def validate(site: Site, jwt: str) -> Answer:
    """Ask LiveKit whether a token would let its caller in."""
    return site.get(f"{SFU}/rtc/validate?access_token={jwt}")


def claims(jwt: str) -> dict[str, Any]:
    """Return what a token says."""
    text = jwt.split(".")[1]
    decoded: dict[str, Any] = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return decoded
