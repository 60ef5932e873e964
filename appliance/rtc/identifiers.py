"""Names of rooms and callers in LiveKit, made from Matrix's. Pure.

Source: MSC4195, "Pseudonymous participant identity" and "LiveKit room alias".
"""

import base64
import hashlib
import json

# Calls of a room as a whole; what the older endpoint always means.
WHOLE_ROOM_SLOT = "m.call#ROOM"


def name_room(room_id: str, slot_id: str = WHOLE_ROOM_SLOT) -> str:
    """Return LiveKit's room for a call."""
    return _digest(room_id, slot_id)


def name_member(user_id: str, device_id: str, member_id: str) -> str:
    """Return a caller's identity, which says nothing of who it is."""
    return _digest(user_id, device_id, member_id)


def name_device(user_id: str, device_id: str) -> str:
    """Return a caller's identity as clients of the older endpoint expect it."""
    return f"{user_id}:{device_id}"


def _digest(*parts: str) -> str:
    """Return the unpadded base64 of the SHA-256 of the parts as canonical JSON."""
    text = json.dumps(parts, ensure_ascii=False, separators=(",", ":"))
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
