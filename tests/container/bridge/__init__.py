"""A bridge of mautrix's framework to a network in the hand of the test, in an image of its own."""

import base64
import contextlib
import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance.testing import free_port
from builder.image import host_arguments
from tests.container.appliances import Appliance, until
from tests.container.bridge_endings import expect_its_end
from tests.container.debian import build_image
from tests.container.volumes import IMAGE

BOT = "@fixturebot:matrix.localhost"
PREFIX = "!fixture"
PROGRAM = "fixture"
PORT = 29490
"""Where the network answers in the container, as the connector's example says."""
_CONFIGURATION = "/run/bridges/fixture/config.yaml"
_GO = ("GOPROXY", "GONOSUMDB")


def build_extended() -> str:
    """Return the ID of the image under test with the bridge in it."""
    values = host_arguments(os.environ)
    arguments = {"APPLIANCE": IMAGE, **{one: values[one] for one in _GO if one in values}}
    return build_image(Path(__file__).parent, "matrix-appliance-fixture-bridge", arguments)


@dataclass(frozen=True)
class Network:
    """The network behind the bridge, as who lives in it and who runs it."""

    port: int

    def add(self, account: str, password: str) -> None:
        self._ask("account", account, password=password)

    def write(self, account: str, chat: str, text: str, *, mine: bool = False) -> None:
        """Have somebody write to an account, or its owner by another device."""
        self._ask("write", account, event={"chat": chat, "text": text, "mine": mine})

    def send_file(self, account: str, chat: str, name: str, data: bytes) -> None:
        encoded = base64.b64encode(data).decode()
        file = {"name": name, "type": "application/octet-stream", "data": encoded}
        self._ask("write", account, event={"chat": chat, "file": file})

    def read(self, account: str, chat: str, sent: str) -> None:
        """Have somebody read what was sent by the bridge."""
        event = {"kind": "receipt", "chat": chat, "id": f"sent-{sent}"}
        self._ask("write", account, event=event)

    def revoke(self, account: str) -> None:
        """Log an account's bridge out."""
        self._ask("revoke", account)

    def slow_down(self, account: str, seconds: float) -> None:
        """Take some seconds for every message of an account."""
        self._ask("slow", account, seconds=seconds)

    def sent(self, account: str) -> list[Mapping[str, Any]]:
        """Return what the bridge has sent for an account."""
        return list(self._ask("seen", account)["sent"])

    def texts(self, account: str) -> list[str]:
        return [one["text"] for one in self.sent(account) if "text" in one]

    def files(self, account: str) -> dict[str, bytes]:
        found = (one["file"] for one in self.sent(account) if "file" in one)
        return {file["name"]: base64.b64decode(file["data"]) for file in found}

    def was_read(self, account: str) -> list[str]:
        """Return what an account's owner has read in Matrix."""
        return list(self._ask("seen", account)["read"])

    def taken(self, account: str) -> int:
        """Return how many of an account's events are in Matrix, as its bridge says."""
        return int(self._ask("seen", account)["taken"])

    def is_logged_in(self, account: str) -> bool:
        return bool(self._ask("seen", account)["logged_in"])

    def answers(self) -> bool:
        try:
            self.add("nobody", "none")
        except (OSError, urllib.error.URLError):
            return False
        return True

    def _ask(self, what: str, account: str, **more: object) -> Any:
        body = json.dumps({"account": account, **more}).encode()
        address = f"http://127.0.0.1:{self.port}/test/{what}"
        with urllib.request.urlopen(urllib.request.Request(address, body), timeout=30) as answer:
            return json.load(answer)


@contextlib.contextmanager
def serve(appliance: Appliance) -> Iterator[Network]:
    """Start an appliance of the extended image, and the network beside it."""
    network = Network(free_port())
    appliance.publish(PORT, network.port)
    with appliance:
        container = appliance.get_wrapped_container()
        server = container.client.containers.run(
            appliance.image,
            [str(PORT)],
            entrypoint=["python", "/fixture/network.py"],
            detach=True,
            network_mode=f"container:{container.id}",
        )
        try:
            until(network.answers, "the network answers", within_seconds=90)
            yield network
        finally:
            server.remove(force=True, v=True)


@contextlib.contextmanager
def encryption_off(appliance: Appliance) -> Iterator[None]:
    """Have new chats unencrypted, as an owner's settings may."""
    expect_its_end(appliance, PROGRAM)
    _change_default(appliance, "true", "false")
    try:
        yield
    finally:
        _change_default(appliance, "false", "true")


def _change_default(appliance: Appliance, before: str, after: str) -> None:
    appliance.run("sed", "-i", f"s/^  default: {before}/  default: {after}/", _CONFIGURATION)
    appliance.supervisor("restart", f"appliance:{PROGRAM}")
