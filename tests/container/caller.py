"""People in calls: Chromium with a camera and a microphone that it makes up itself."""

import mimetypes
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Error, Frame, Page

from .appliances import Appliance, LanAppliance, until
from .browser import JAVASCRIPT, WASM, Seen, open_browser, visit, watch

# What is said when LiveKit is killed and its callers come back to the next one.
KILLED = (
    r"^livekit .*\tservice/signal\.go:\d+\tcould not handle new participant\t"
    r"| WARN exited: livekit \(terminated by SIGKILL",
    "LiveKit is killed, and callers come back faster than their room",
)
MEDIA = (
    "--use-fake-device-for-media-stream=fps=10",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--disable-background-networking",
)
_LOOK_SECONDS = 1.5
_BUNDLE = JAVASCRIPT / ".build/call.js"
_ELEMENT_CALL = JAVASCRIPT / "node_modules/@element-hq/element-call-embedded/dist"
# Runs first in every page and frame: keeps hold of every connection for media.
_KEEP_PEERS = """
window.peers = [];
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(...given) { super(...given); window.peers.push(this); }
};
"""
# Chromium's own camera sometimes gives no picture any more when two pages that share it let it go
# and take it again at the same moment, as callers do whose server was killed.
_KEEP_CAMERA = """async () => {
  window.camera = await navigator.mediaDevices.getUserMedia({ video: true });
}"""
_READ_STATISTICS = """async () => {
  const rows = [];
  for (const [number, peer] of (window.peers ?? []).entries())
    if (peer.connectionState !== "closed")
      (await peer.getStats()).forEach((row) => rows.push({ ...row, number }));
  return rows;
}"""


@dataclass
class Statistics:
    """What the connections of a page for media say of themselves."""

    rows: list[dict[str, Any]] = field(default_factory=list)

    def total(self, kind: str, media: str, key: str) -> int:
        """Return a sum over the streams of one kind."""
        own = (row for row in self.rows if row["type"] == kind and row.get("kind") == media)
        return sum(int(row.get(key, 0)) for row in own)

    @property
    def frames_decoded(self) -> int:
        return self.total("inbound-rtp", "video", "framesDecoded")

    @property
    def packets_received(self) -> int:
        return self.total("inbound-rtp", "audio", "packetsReceived")

    @property
    def packets_sent(self) -> int:
        return self.total("outbound-rtp", "audio", "packetsSent")

    @property
    def offered_addresses(self) -> set[str]:
        """The addresses at which the server says that it can be reached, with the protocol."""
        own = (row for row in self.rows if row["type"] == "remote-candidate")
        return {f"{row['address']}/{row['protocol']}" for row in own if row.get("address")}

    @property
    def used_addresses(self) -> set[str]:
        """Those through which media goes just now, with the protocol."""
        by_id = {(row["number"], row["id"]): row for row in self.rows}
        chosen = (
            by_id[row["number"], row["selectedCandidatePairId"]]
            for row in self.rows
            if row["type"] == "transport" and "selectedCandidatePairId" in row
        )
        remote = (by_id[pair["number"], pair["remoteCandidateId"]] for pair in chosen)
        return {f"{row['address']}/{row['protocol']}" for row in remote}


class Caller:
    """A device of somebody who calls: `js/call.js` in a page of the web client's host."""

    def __init__(self, browser: Browser, appliance: Appliance) -> None:
        self.context: BrowserContext = browser.new_context()
        self.context.add_init_script(_KEEP_PEERS)
        self.page: Page = self.context.new_page()
        self.seen: Seen = watch(self.page)
        self.page.route("**/test-client/**", _serve)
        visit(self.page, f"{appliance.chat.url}/test-client/")
        self.page.evaluate("async () => { window.call = await import('/test-client/call.js') }")
        self.page.evaluate(_KEEP_CAMERA)

    def do(self, action: str, *arguments: Any) -> Any:
        """Call a function of `js/call.js`."""
        return self.page.evaluate(
            "([action, given]) => window.call[action](...given)", [action, list(arguments)]
        )

    def statistics(self) -> Statistics:
        """Read what its connections for media say, of the page and every frame in it."""
        return Statistics([row for frame in self.page.frames for row in _read(frame)])

    def hears_and_sees(self) -> bool:
        """Return whether sound and picture come in just now."""
        before = self.statistics()
        time.sleep(_LOOK_SECONDS)
        now = self.statistics()
        heard = now.packets_received > before.packets_received
        return heard and now.frames_decoded > before.frames_decoded

    def vanish(self) -> None:
        """Be gone without a word, as a device is whose battery is empty."""
        self.context.close()


@contextmanager
def open_calls(appliance: Appliance, *, pins: Sequence[str] = ()) -> Iterator[Browser]:
    """Start a Chromium for people who call; `pins` are of certificates that are yet to come."""
    # Media by TCP is held to the same rules as names.
    addresses = [appliance.local_address()] if isinstance(appliance, LanAppliance) else []
    with open_browser(appliance, options=MEDIA, addresses=addresses, pins=pins) as browser:
        yield browser


def in_call(*callers: Caller, within_seconds: float = 90) -> None:
    """Wait until everybody hears and sees somebody else just now."""
    for caller in callers:
        until(caller.hears_and_sees, "sound and picture come in", within_seconds)


def _read(frame: Frame) -> list[dict[str, Any]]:
    try:
        rows: list[dict[str, Any]] = frame.evaluate(_READ_STATISTICS)
    except Error as error:
        if "detached" in str(error) or "destroyed" in str(error):
            return []
        raise
    return rows


def _serve(route: Any) -> None:
    path = urlsplit(route.request.url).path.partition("/test-client/")[2]
    if path == "":
        route.fulfill(body="<!doctype html><title>Calls</title><body>", content_type="text/html")
    elif path.startswith("element-call/"):
        file = _ELEMENT_CALL / path.removeprefix("element-call/")
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        route.fulfill(path=file, content_type=kind)
    elif path.endswith(".wasm"):
        route.fulfill(path=WASM / path.rpartition("/")[2], content_type="application/wasm")
    else:
        route.fulfill(path=_BUNDLE, content_type="text/javascript")
