"""What bridges cost, and how much passes through one: a real one, to a network of the tests' own.

The bridge is the tests' (tests/container/bridge), in an image derived from the measured one: the
figures are of the framework that mautrix's bridges share, of Synapse, and of the tests' client.
"""

import asyncio
import contextlib
import json
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench import containers
from builder.base import ensure_base, find_mirror
from builder.engine import ensure_engine
from builder.image import build_command, describe_program, host_arguments
from builder.registry import GoComponent, load_registry
from builder.sources import Selection, Status
from tests.container import bridge
from tests.container.appliances import Appliance, until
from tests.container.bridge.person import Chat, Person
from tests.container.volumes import IMAGE

_MESSAGES = 200
_MIB = 1024**2
_TAG = "matrix-appliance:bench-go"
_COMPONENTS = "/usr/share/appliance/components.json"
_PATIENCE_SECONDS = 300
_BRIDGES = "whatsapp,heisenbridge,fixture"
# Prints how long after Synapse the bridge was ready; runs inside from before either is.
_WATCH = """
import sys, time, urllib.request
def wait(address):
    while True:
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return time.monotonic()
        except OSError:
            time.sleep(0.01)
first = wait(sys.argv[1])
print(wait(sys.argv[2]) - first)
"""
_READY = f"http://127.0.0.1:{29300 + 49}/_matrix/mau/ready"


@dataclass(frozen=True)
class Rate:
    """Messages a second, into Matrix and out of it."""

    incoming: float
    outgoing: float


@dataclass(frozen=True)
class Measured:
    """All that was measured with one appliance, and sizes in MiB of the image."""

    rates: dict[str, Rate]
    memory_mib: dict[str, float]
    sizes_mib: dict[str, float]


def measure(idle_seconds: int) -> Measured:
    """Carry messages, plain and encrypted, after a look at the memory of bridges at rest."""
    appliance = Appliance(image=bridge.build_extended(), dns=["127.0.0.1"])
    appliance.with_variables(MATRIX_BRIDGES=_BRIDGES, MATRIX_BRIDGE_ADMINS="alice")
    with bridge.serve(appliance) as network, tempfile.TemporaryDirectory() as folder:
        time.sleep(idle_seconds)
        name = str(appliance.get_wrapped_container().name)
        memory = containers.resident_memory(name)
        components = json.loads(appliance.run("cat", _COMPONENTS))
        rates = {}
        for kind in ("encrypted", "plain"):
            with bridge.encryption_off(appliance) if kind == "plain" else contextlib.nullcontext():
                work = _carry(appliance, network, Path(folder), kind)
                rates[kind] = asyncio.run(work)
    programs = {row["name"]: row["size_bytes"] / _MIB for row in components}
    return Measured(
        rates,
        {name: size / _MIB for name, size in memory.items() if _is_bridge(name)},
        {name: size for name, size in programs.items() if _is_bridge(name) and size},
    )


def _is_bridge(name: str) -> bool:
    return name.startswith("mautrix-") or name in ("heisenbridge", "fixture-bridge")


async def _carry(appliance: Appliance, network: bridge.Network, folder: Path, name: str) -> Rate:
    encrypted = name == "encrypted"
    entered = Person.enter(appliance, network, folder, name, encrypted=encrypted)
    async with entered as person:
        await person.log_in()
        chat = await person.meet(f"carol-{name}")
        assert chat.encrypted == encrypted  # noqa: S101 - else the figure is of the other kind
        await chat.send("the keys are exchanged")
        await chat.delivered("the keys are exchanged")
        return Rate(_receive(network, chat, name), await _send(network, chat, name))


def _receive(network: bridge.Network, chat: Chat, account: str) -> float:
    before = network.taken(account)
    chat.write(*(f"in {number}" for number in range(_MESSAGES)))
    # They came in while they were written: only what was left counts, and its time.
    left, started = before + _MESSAGES - network.taken(account), time.monotonic()
    everything = before + _MESSAGES
    until(lambda: network.taken(account) >= everything, "all are in", _PATIENCE_SECONDS)
    return float(left / (time.monotonic() - started))


async def _send(network: bridge.Network, chat: Chat, account: str) -> float:
    before, started = len(network.sent(account)), time.monotonic()
    for number in range(_MESSAGES):
        await chat.send(f"out {number}")
    everything = before + _MESSAGES
    until(lambda: len(network.sent(account)) >= everything, "all are out", _PATIENCE_SECONDS)
    return _MESSAGES / (time.monotonic() - started)


def seconds_until_ready(rounds: int) -> list[float]:
    """Return how long after Synapse the bridge is ready, on an empty volume."""
    return [_watch_boot() for _ in range(rounds)]


def _watch_boot() -> float:
    appliance = Appliance(image=bridge.build_extended(), dns=["127.0.0.1"])
    appliance.with_variables(MATRIX_BRIDGES=bridge.PROGRAM)
    appliance.create()
    with _removed(appliance):
        container = appliance.get_wrapped_container()
        container.start()
        synapse = "http://127.0.0.1:8008/health"
        return float(appliance.run("python", "-c", _WATCH, synapse, _READY))


@contextlib.contextmanager
def _removed(appliance: Appliance) -> Iterator[None]:
    try:
        yield
    finally:
        appliance.stop()


def boots(rounds: int) -> tuple[list[float], list[float]]:
    """Return an empty volume's seconds to a log-in without and with a bridge, in turn."""
    without: list[float] = []
    having: list[float] = []
    for number in range(rounds):
        for names, times in (("none", without), ("whatsapp", having)):
            with containers.appliance(300 + number, {"MATRIX_BRIDGES": names}) as appliance:
                times.append(appliance.start_until_logged_in(register=True))
                appliance.stop()
    return without, having


def seconds_to_build(name: str) -> float:
    """Build one program of the image anew, with what was compiled of its modules before."""
    engine = ensure_engine(os.environ)
    registry = load_registry()
    component = next(one for one in registry.components if one.name == name)
    assert isinstance(component, GoComponent)  # noqa: S101 - every bridge of mautrix is
    rows = json.loads(containers.docker("run", "--rm", "--entrypoint=cat", IMAGE, _COMPONENTS))
    version = next(row["version"] for row in rows if row["name"] == name)
    row = describe_program(Selection(component, Status.BUILT, version), component)
    arguments = {
        "BASE": ensure_base(engine.docker, registry.base, find_mirror(os.environ)),
        **host_arguments(os.environ),
        "GO_COMPONENTS": json.dumps([{**row, "asked": time.time()}]),
    }
    command = build_command(arguments, engine.environment, _TAG)
    started = time.monotonic()
    engine.docker.read(*command[:-1], "--quiet", "--target=go-programs", command[-1])
    seconds = time.monotonic() - started
    engine.docker.read("image", "rm", _TAG)
    return seconds
