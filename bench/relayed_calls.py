"""What relayed calls cost: set-up, loss, and the relay's processor time and memory for each.

The calls are the tests' own (tests/container/callers.py), between two networks of this machine.
"""

import contextlib
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import docker

from tests.container.appliances import LanAppliance, until
from tests.container.callers import TURN_HOST, Call, Login, Scene, make_network, on, set_up

NUMBERS = (1, 5, 10)
LOSS_SECONDS = 60
_LOAD_SECONDS = 20
_URI = f"turn:{TURN_HOST}:3478?transport=udp"
_MIB = 1024**2
_SOME_PACKETS = 50


@dataclass(frozen=True)
class Load:
    """The relay while some calls run: share of one core in percent, and PSS in MiB."""

    calls: int
    processor_percent: float
    memory_mib: float


@dataclass(frozen=True)
class Measured:
    """All that was measured."""

    set_up_seconds: list[float]
    expected_packets: int
    lost_packets: int
    idle_mib: float
    loads: list[Load]


def measure() -> Measured:
    """Hold more and more calls at once, and watch the relay."""
    with _scene() as scene:
        logins = Login.of(on(scene.appliance, "alice")), Login.of(on(scene.appliance, "bob"))
        relay = _Relay(scene)
        idle = relay.memory_mib()
        set_up: list[float] = []
        loads: list[Load] = []
        lost = expected = 0
        with contextlib.ExitStack() as stack:
            calls: list[Call] = []
            for number in NUMBERS:
                while len(calls) < number:
                    call = stack.enter_context(Call.between(scene, logins, _URI))
                    sides = call.wait_for(_SOME_PACKETS)
                    set_up += [side.set_up_seconds or 0 for side in sides]
                    calls.append(call)
                if number == 1:
                    expected, lost = _count_loss(calls[0])
                loads.append(Load(number, relay.processor_percent(), relay.memory_mib() - idle))
        return Measured(set_up, expected, lost, idle, loads)


def _count_loss(call: Call) -> tuple[int, int]:
    """Return how many packets should have come in a while at both sides, and how many did not."""
    before = call.hearings()
    time.sleep(LOSS_SECONDS)
    after = call.hearings()
    received = sum(b.packets - a.packets for a, b in zip(before, after, strict=True))
    lost = sum(b.lost - a.lost for a, b in zip(before, after, strict=True))
    return received + lost, lost


class _Relay:
    """The process of coturn, as this machine sees it."""

    def __init__(self, scene: Scene) -> None:
        rows = scene.appliance.get_wrapped_container().top(ps_args="-eo pid,comm")["Processes"]
        (self._pid,) = (int(pid) for pid, name in rows if name == "turnserver")

    def memory_mib(self) -> float:
        """Return its PSS. Source: proc_pid_smaps(5)."""
        rollup = Path(f"/proc/{self._pid}/smaps_rollup").read_text()
        kibibytes = next(line.split()[1] for line in rollup.splitlines() if line.startswith("Pss:"))
        return int(kibibytes) * 1024 / _MIB

    def processor_percent(self) -> float:
        """Return the share of one core that it uses for a while."""
        before, began = self._ticks(), time.monotonic()
        time.sleep(_LOAD_SECONDS)
        used = (self._ticks() - before) / os.sysconf("SC_CLK_TCK")
        return 100 * used / (time.monotonic() - began)

    def _ticks(self) -> int:
        """Return its processor time. Source: proc_pid_stat(5)."""
        fields = Path(f"/proc/{self._pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])


@contextlib.contextmanager
def _scene() -> Iterator[Scene]:
    with (
        tempfile.TemporaryDirectory() as folder,
        make_network(docker.from_env()) as home,
        set_up(
            LanAppliance(network_mode=home.name).with_variables(MATRIX_LISTEN=""),
            home,
            Path(folder),
        ) as scene,
    ):
        until(lambda: "relays at" in scene.appliance.command("status"), "a relay that answers")
        yield scene
