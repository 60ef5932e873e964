"""Calls of Element Call and Element X: whether this server carries them, and at which ports."""

from pydantic import BaseModel

from appliance.settings.types import Boolean, Port, variable


class CallSettings(BaseModel):
    """Variables about calls through this server (LiveKit)."""

    calls: Boolean | None = variable(
        None,
        help="Whether this server carries the calls of Element Call and Element X (LiveKit). Asked "
        "for by name, an image without LiveKit is an error; by default calls are there where the "
        "image has it.",
        default_text="yes where the image has it",
    )
    livekit_port: Port = variable(
        7880, help="Loopback port of LiveKit's own API, which nginx reaches."
    )
    livekit_tcp_port: Port = variable(
        7881,
        help="TCP port for the media of callers whose network lets no UDP through. It cannot be "
        "bound to single addresses: where `MATRIX_LISTEN` names some, it stays closed.",
    )
    livekit_udp_port: Port = variable(
        7882, help="UDP port for the media of calls: one for all of them."
    )
