"""Callers on networks of their own, where they reach the appliance and not each other."""

import contextlib
import json
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import docker
from docker.models.containers import Container
from docker.models.networks import Network
from docker.types import IPAMConfig, IPAMPool

from .appliances import Appliance, LanAppliance
from .http_client import Account
from .volumes import IMAGE

TURN_HOST = f"turn.{LanAppliance.DOMAIN}"
_SCRIPTS = Path(__file__).parent / "caller"
_BUILD = Path(__file__).parent / ".build"
# WebRTC, and a way to change routes, for the image's own Python: wheels hold all that is native.
_LIBRARIES = ("aiortc==1.16.0", "pyroute2==0.9.7")
_IMAGE_PYTHON = "3.13"


def fetch_libraries() -> Path:
    """Return a folder with what callers need, downloaded once."""
    folder = _BUILD / "-".join((*_LIBRARIES, _IMAGE_PYTHON))
    if not (folder / ".complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        chosen = ["--only-binary=:all:", f"--python-version={_IMAGE_PYTHON}"]
        subprocess.run([*pip, *chosen, f"--target={folder}", *_LIBRARIES], check=True)
        (folder / ".complete").touch()
    return folder


@dataclass(frozen=True)
class Login:
    """What a client needs to use the relay, as its server gave it."""

    username: str
    password: str
    uris: tuple[str, ...]
    lifetime_seconds: int

    @classmethod
    def of(cls, account: Account) -> "Login":
        """Ask the server, as every client does at its start."""
        answer = account.ask("GET", "/v3/voip/turnServer")
        return cls(answer["username"], answer["password"], tuple(answer["uris"]), answer["ttl"])


class Caller:
    """A machine on a network of its own, with a WebRTC client."""

    def __init__(self, container: Container, network: Network, relays: Mapping[int, str]) -> None:
        self.container, self._network, self.relays = container, network, relays

    @property
    def addresses(self) -> dict[int, str]:
        """Its own addresses by family."""
        return find_addresses(self.container, self._network)

    def probe(self, do: str, **job: Any) -> Any:
        """Have the relay asked and return what came of it."""
        text = json.dumps({"do": do, "host": self.relays[4], "port": 3478, **job})
        result = self.container.exec_run(["python", "/caller/probe.py", text])
        assert result.exit_code == 0, result.output.decode()
        return json.loads(result.output)

    def look_up(self, version: int) -> None:
        """Have the relay's name lead to its address of one family."""
        entry = f"{self.relays[version]} {TURN_HOST}"
        script = f"grep -v {TURN_HOST} /etc/hosts > /tmp/hosts; echo {entry} >> /tmp/hosts; "
        result = self.container.exec_run(["sh", "-c", f"{script} cat /tmp/hosts > /etc/hosts"])
        assert result.exit_code == 0, result.output.decode()


@dataclass(frozen=True)
class Scene:
    """An appliance that is in three networks, and in two of them a caller."""

    appliance: LanAppliance
    left: Caller
    right: Caller
    shared: Path
    """A folder through which callers tell each other what clients tell by the server."""


@contextlib.contextmanager
def set_up(appliance: LanAppliance, home: Network, shared: Path) -> Iterator[Scene]:
    """Start an appliance that is to be in a network, with a caller on either side of it."""
    client = docker.from_env()
    with contextlib.ExitStack() as stack:
        sides = [stack.enter_context(make_network(client, internal=True)) for _ in range(2)]
        stack.callback(appliance.stop)
        appliance.create()
        container = appliance.get_wrapped_container()
        for side in sides:
            side.connect(container)
        appliance.boot()
        callers = []
        for side in sides:
            relays = find_addresses(container, side)
            started = stack.enter_context(_start_caller(client, side, shared))
            callers.append(Caller(started, side, relays))
        yield Scene(appliance, *callers, shared=shared)


@contextlib.contextmanager
def make_network(client: docker.DockerClient, *, internal: bool = False) -> Iterator[Network]:
    """Make a network with both address families; from an `internal` one no way leads out."""
    prefix = f"fd{secrets.token_hex(1)}:{secrets.token_hex(2)}:{secrets.token_hex(2)}"
    network = client.networks.create(
        f"appliance-test-{secrets.token_hex(6)}",
        internal=internal,
        enable_ipv6=True,
        ipam=IPAMConfig(pool_configs=[IPAMPool(subnet=f"{prefix}::/64")]),
    )
    try:
        yield network
    finally:
        network.remove()


def find_addresses(container: Container, network: Network) -> dict[int, str]:
    """Return the addresses of a container in a network, by family."""
    container.reload()
    found = container.attrs["NetworkSettings"]["Networks"][network.name]
    addresses = (found["IPAddress"], found["GlobalIPv6Address"])
    return {ip_address(one).version: one for one in addresses}


@contextlib.contextmanager
def _start_caller(
    client: docker.DockerClient, network: Network, shared: Path
) -> Iterator[Container]:
    mounts = {
        str(_SCRIPTS): {"bind": "/caller", "mode": "ro"},
        str(fetch_libraries()): {"bind": "/libraries", "mode": "ro"},
        str(shared): {"bind": "/shared", "mode": "rw"},
    }
    container = client.containers.run(
        IMAGE,
        ["infinity"],
        entrypoint=["sleep"],
        network=network.name,
        volumes=mounts,
        # Its own libraries first: what the image has of them is meant for Synapse.
        environment={"PYTHONPATH": "/libraries:/usr/share/appliance/python"},
        cap_add=["NET_ADMIN"],
        init=True,
        detach=True,
    )
    try:
        # Docker gives a way out even where there is none, and routes IPv6 between its networks.
        result = container.exec_run(["python", "/caller/isolate.py"])
        assert result.exit_code == 0, result.output.decode()
        yield container
    finally:
        container.remove(force=True, v=True)


def on(appliance: Appliance, name: str) -> Account:
    """Return a new account on an appliance."""
    return appliance.make_account(f"{name}-{secrets.token_hex(3)}")
