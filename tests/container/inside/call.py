"""One side of a WebRTC call that is relayed or not at all; writes down what it hears as it goes.

Usage: call.py FOLDER ROLE. The sides find each other by files in the folder, as clients do by
their server. Ends when there is a file `end`.
"""

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

from aioice import stun, turn
from aiortc import (
    AudioStreamTrack,
    RTCConfiguration,
    RTCIceServer,
    RTCIceTransportPolicy,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.contrib.media import MediaBlackhole

_LOOK_SECONDS = 0.05
# RFC 8656, section 18.6: IPv6. aioice never asks for it.
_FAMILY = (0x0017, "REQUESTED-ADDRESS-FAMILY", stun.pack_unsigned, stun.unpack_unsigned)
_IPV6 = 0x02000000


class Side:
    """A caller or the called."""

    def __init__(self, folder: Path, role: str) -> None:
        self._folder, self._role = folder, role
        self._other = {"caller": "called", "called": "caller"}[role]
        self._job = json.loads((folder / f"{role}.json").read_text())
        server = RTCIceServer(self._job["uri"], self._job["username"], self._job["password"])
        self._peer = RTCPeerConnection(
            RTCConfiguration([server], iceTransportPolicy=RTCIceTransportPolicy.RELAY)
        )
        self._heard = MediaBlackhole()
        self._began = time.monotonic()
        self._set_up_seconds: float | None = None

    async def run(self) -> None:
        """Talk silence until the end."""
        self._peer.on("track", self._heard.addTrack)
        self._peer.addTrack(AudioStreamTrack())
        if self._role == "caller":
            await self._peer.setLocalDescription(await self._peer.createOffer())
            self._tell()
            await self._listen()
        else:
            await self._listen()
            await self._peer.setLocalDescription(await self._peer.createAnswer())
            self._tell()
        await self._heard.start()
        while not (self._folder / "end").exists():
            self._write("status", await self._status())
            await asyncio.sleep(_LOOK_SECONDS)
        self._write("status", await self._status())
        await self._heard.stop()
        await self._peer.close()

    def _tell(self) -> None:
        own = self._peer.localDescription
        self._write("description", {"sdp": own.sdp, "type": own.type})

    async def _listen(self) -> None:
        path = self._folder / f"{self._other}-description.json"
        while not path.exists():
            await asyncio.sleep(_LOOK_SECONDS)
        description = RTCSessionDescription(**json.loads(path.read_text()))
        await self._peer.setRemoteDescription(description)

    async def _status(self) -> dict[str, Any]:
        stats = (await self._peer.getStats()).values()
        packets = sum(one.packetsReceived for one in stats if one.type == "inbound-rtp")
        if packets and self._set_up_seconds is None:
            self._set_up_seconds = time.monotonic() - self._began
        return {
            "state": self._peer.connectionState,
            "packets": packets,
            "lost": sum(one.packetsLost for one in stats if one.type == "inbound-rtp"),
            "set_up_seconds": self._set_up_seconds,
            "pair": self._pair(),
            "offered": sorted(
                {
                    line.split(" typ ")[1].split()[0]
                    for line in self._peer.localDescription.sdp.splitlines()
                    if line.startswith("a=candidate:")
                }
            ),
        }

    def _pair(self) -> list[list[str]]:
        """Return the two candidates that the media goes between: kind and address of each."""
        ice = self._peer.getTransceivers()[0].sender.transport.transport
        pairs = [*ice._connection._nominated.values()]
        return [
            [one.type, one.host]
            for pair in pairs
            for one in (pair.local_candidate, pair.remote_candidate)
        ]

    def _write(self, what: str, content: dict[str, Any]) -> None:
        new = self._folder / f"{self._role}-{what}.new"
        new.write_text(json.dumps(content))
        new.rename(new.with_suffix(".json"))


def ask_for_ipv6() -> None:
    """Have aioice ask for a relay address of that family."""
    stun.ATTRIBUTES_BY_TYPE[_FAMILY[0]] = stun.ATTRIBUTES_BY_NAME[_FAMILY[1]] = _FAMILY
    ask = turn.TurnClientMixin.request_with_retry

    async def ask_for_it(self: Any, request: stun.Message) -> Any:
        if request.message_method == stun.Method.ALLOCATE:
            request.attributes[_FAMILY[1]] = _IPV6
        return await ask(self, request)

    turn.TurnClientMixin.request_with_retry = ask_for_it


if __name__ == "__main__":
    where, who = Path(sys.argv[1]), sys.argv[2]
    if json.loads((where / f"{who}.json").read_text())["relay_version"] == 6:
        ask_for_ipv6()
    asyncio.run(Side(where, who).run())
