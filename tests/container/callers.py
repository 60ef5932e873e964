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

from .appliances import Appliance, LanAppliance, until
from .http_client import Account
from .volumes import IMAGE

TURN_HOST = f"turn.{LanAppliance.DOMAIN}"
SCRIPTS = Path(__file__).parent / "inside"
_BUILD = Path(__file__).parent / ".build"
# WebRTC, and a way to change routes, for the image's own Python: wheels hold all that is native.
_LIBRARIES = ("aiortc==1.16.0", "pyroute2==0.9.7")
_IMAGE_PYTHON = "3.13"
# Their own libraries first: what the image has of them is meant for Synapse.
_ENVIRONMENT = {"PYTHONPATH": "/libraries:/usr/share/appliance/python"}


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

    def by(self) -> dict[str, str]:
        """Return it as a probe takes it."""
        return {"username": self.username, "password": self.password}


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
        left, right = callers
        yield Scene(appliance, left, right, shared)


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


def _mounts(shared: Path) -> dict[str, dict[str, str]]:
    return {
        str(SCRIPTS): {"bind": "/caller", "mode": "ro"},
        str(fetch_libraries()): {"bind": "/libraries", "mode": "ro"},
        str(shared): {"bind": "/shared", "mode": "rw"},
    }


@contextlib.contextmanager
def _start_caller(
    client: docker.DockerClient, network: Network, shared: Path
) -> Iterator[Container]:
    container = client.containers.run(
        IMAGE,
        ["infinity"],
        entrypoint=["sleep"],
        network=network.name,
        volumes=_mounts(shared),
        environment=_ENVIRONMENT,
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


@contextlib.contextmanager
def start_neighbour(scene: Scene, port: int, addresses: list[str]) -> Iterator[Path]:
    """Give the appliance's own machine addresses; return the file of what is sent to them."""
    heard = f"heard-{secrets.token_hex(4)}"
    container = docker.from_env().containers.run(
        IMAGE,
        ["/caller/neighbour.py", str(port), f"/shared/{heard}", *addresses],
        entrypoint=["python"],
        network_mode=f"container:{scene.appliance.get_wrapped_container().id}",
        volumes=_mounts(scene.shared),
        environment=_ENVIRONMENT,
        cap_add=["NET_ADMIN"],
        detach=True,
    )
    try:
        until((scene.shared / heard).exists, "a neighbour that listens")
        yield scene.shared / heard
    finally:
        container.remove(force=True, v=True)


@contextlib.contextmanager
def udp_blocked(appliance: Appliance, port: int, shared: Path) -> Iterator[None]:
    """Let nothing out of one of the appliance's UDP ports, as long as the block."""
    blocked = shared / f"blocked-{secrets.token_hex(4)}"
    container = docker.from_env().containers.run(
        IMAGE,
        ["/caller/block.py", str(port), f"/shared/{blocked.name}"],
        entrypoint=["python"],
        network_mode=f"container:{appliance.get_wrapped_container().id}",
        volumes=_mounts(shared),
        environment=_ENVIRONMENT,
        cap_add=["NET_ADMIN"],
        detach=True,
    )
    try:
        until(blocked.exists, "a network without UDP")
        yield
        blocked.unlink()
        assert container.wait(timeout=60)["StatusCode"] == 0, container.logs().decode()
    finally:
        container.remove(force=True, v=True)


def on(appliance: Appliance, name: str) -> Account:
    """Return a new account on an appliance."""
    return appliance.make_account(f"{name}-{secrets.token_hex(3)}")


@dataclass(frozen=True)
class Hearing:
    """What one side of a call has heard so far."""

    state: str
    packets: int
    lost: int
    set_up_seconds: float | None
    pair: tuple[tuple[str, str], ...]
    offered: tuple[str, ...]


class Call:
    """A call between the two callers of a scene, each with credentials of its own."""

    def __init__(self, scene: Scene, folder: Path) -> None:
        self._scene, self._folder = scene, folder

    @classmethod
    @contextlib.contextmanager
    def between(
        cls,
        scene: Scene,
        logins: tuple[Login, Login],
        uri: str,
        *,
        version: int = 4,
        relay_version: int = 4,
    ) -> Iterator["Call"]:
        """Have the left call the right; `version` is the family by which they reach the relay."""
        folder = scene.shared / secrets.token_hex(4)
        folder.mkdir()
        (folder / "authority.pem").write_text(scene.appliance.ca_certificate)
        sides = {"caller": scene.left, "called": scene.right}
        for (role, side), login in zip(sides.items(), logins, strict=True):
            side.look_up(version)
            job = {"uri": uri, "username": login.username, "password": login.password}
            (folder / f"{role}.json").write_text(
                json.dumps({**job, "relay_version": relay_version})
            )
            script = f"python /caller/call.py /shared/{folder.name} {role}"
            side.container.exec_run(
                ["sh", "-c", f"{script} > /shared/{folder.name}/{role}.log 2>&1"],
                environment={"SSL_CERT_FILE": f"/shared/{folder.name}/authority.pem"},
                detach=True,
            )
        try:
            yield cls(scene, folder)
        finally:
            (folder / "end").touch()

    def hearings(self) -> tuple[Hearing, Hearing]:
        """Return what each side has heard; nothing yet is no packets."""
        return self._read("caller"), self._read("called")

    def wait_for(self, more_packets: int) -> tuple[Hearing, Hearing]:
        """Wait until both sides have heard so many packets more than now, and return what then."""
        before = [one.packets for one in self.hearings()]

        def heard() -> bool:
            now = [one.packets for one in self.hearings()]
            return all(b - a >= more_packets for a, b in zip(before, now, strict=True))

        try:
            until(heard, f"{more_packets} packets at both sides")
        except AssertionError as error:
            logs = [(self._folder / f"{role}.log").read_text() for role in ("caller", "called")]
            raise AssertionError(f"{error}; {self.hearings()}\n" + "\n".join(logs)) from error
        return self.hearings()

    def _read(self, role: str) -> Hearing:
        path = self._folder / f"{role}-status.json"
        if not path.exists():
            return Hearing("new", 0, 0, None, (), ())
        values = json.loads(path.read_text())
        pair = tuple((kind, address) for kind, address in values["pair"])
        return Hearing(**{**values, "pair": pair, "offered": tuple(values["offered"])})
