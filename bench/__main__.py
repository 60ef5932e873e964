"""`inv bench`: boot, restart, certificates, memory and rebuild, each beside its goal.

The command printed first is the one that made the table; every ratio is of one run.
"""

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench import bridges, certificates, containers, rebuild, relayed_calls, second_start

RESULTS = Path(__file__).parent / "results"
_MIB = 1024**2


@dataclass(frozen=True)
class Row:
    """One line of the table: the measured values, the ratio to bare where it has one, the goal."""

    what: str
    values: list[float]
    unit: str
    goal: str
    ratio: float | None = None

    def render(self) -> str:
        """Return the row as the table shows it."""
        low, middle, high = (f(self.values) for f in (min, statistics.median, max))
        ratio = f"{self.ratio:.2f} × bare" if self.ratio else ""
        figures = f"{middle:8.2f} ({low:.2f}-{high:.2f}) {self.unit}"
        return f"{self.what:<42} {figures:<34} {ratio:<13} {self.goal}"


def measure_boots(rounds: int) -> list[Row]:
    """Measure bare, empty volume and restart in turn, so that the machine treats all alike."""
    bare: list[float] = []
    empty: list[float] = []
    restart: list[float] = []
    with containers.bare_synapse() as synapse:
        for number in range(rounds):
            bare.append(synapse.start_until_logged_in(register=False))
            synapse.stop()
            with containers.appliance(number) as appliance:
                empty.append(appliance.start_until_logged_in(register=True))
                appliance.stop()
                restart.append(appliance.start_until_logged_in(register=False))
                appliance.stop()
    unit = statistics.median(bare)
    return [
        Row("Synapse alone on a ready database (bare)", bare, "s", ""),
        Row("empty volume to a log-in", empty, "s", "≤ 1.4 × bare", _ratio(empty, unit)),
        Row("restart to a log-in", restart, "s", "≤ 1.3 × bare", _ratio(restart, unit)),
    ]


def measure_boots_with_calls(rounds: int) -> list[Row]:
    """Measure an empty volume with and without everything for calls, in turn."""
    without: list[float] = []
    having: list[float] = []
    for number in range(rounds):
        for word, times in (("no", without), ("yes", having)):
            calls = {"MATRIX_CALLS": word, "MATRIX_TURN": word}
            with containers.appliance(200 + number, calls) as appliance:
                times.append(appliance.start_until_logged_in(register=True))
                appliance.stop()
    unit = statistics.median(without)
    return [
        Row("empty volume to a log-in, calls off", without, "s", ""),
        Row(
            "empty volume to a log-in, calls on", having, "s", "no difference", _ratio(having, unit)
        ),
    ]


def measure_relayed_calls() -> list[Row]:
    """Measure calls through the relay."""
    found = relayed_calls.measure()
    lost = f"of {found.expected_packets} in {relayed_calls.LOSS_SECONDS} s"
    rows = [
        Row("relayed call, until the first packet", found.set_up_seconds, "s", ""),
        Row(f"  packets lost {lost}", [found.lost_packets], "", "0"),
        Row("  memory of the relay at rest (PSS)", [found.idle_mib], "MiB", ""),
    ]
    for load in found.loads:
        each = f"for each of {load.calls} calls"
        rows += [
            Row(f"  processor {each}", [load.processor_percent / load.calls], "% of a core", ""),
            Row(f"  memory {each} (PSS)", [load.memory_mib / load.calls], "MiB", ""),
        ]
    return rows


def measure_memory_of_calls(idle_seconds: int) -> list[Row]:
    """Measure what the three servers of calls hold after a while of nothing to do."""
    domain = {"MATRIX_DOMAIN": "home.lan", "MATRIX_TLS_MODE": "off", "MATRIX_LISTEN": "127.0.0.1"}
    with containers.appliance(110, {**domain, "MATRIX_BRIDGES": "none"}) as appliance:
        appliance.start_until_healthy()
        time.sleep(idle_seconds)
        memory = containers.resident_memory(appliance.name)
    names = {"livekit": "LiveKit", "rtc": "authorization service", "turnserver": "coturn"}
    sizes = {word: memory[name] / _MIB for name, word in names.items()}
    total = Row("calls at rest (PSS of the three)", [sum(sizes.values())], "MiB", "≤ 90 MiB")
    return [total, *(Row(f"  {word}", [size], "MiB", "") for word, size in sizes.items())]


def measure_bridges(rounds: int, idle_seconds: int) -> list[Row]:
    """Measure bridges at rest, what passes through one, and what they cost a boot and a build."""
    found = bridges.measure(idle_seconds)
    rows = []
    for kind, rate in found.rates.items():
        rows += [
            Row(f"messages into Matrix, {kind}", [rate.incoming], "/s", ""),
            Row(f"messages out of Matrix, {kind}", [rate.outgoing], "/s", ""),
        ]
    memory = sorted(found.memory_mib.items())
    sizes = sorted(found.sizes_mib.items())
    rows += [Row(f"idle memory of {name} (PSS)", [mib], "MiB", "≤ 35 MiB") for name, mib in memory]
    rows += [Row(f"size of {name} in the image", [mib], "MiB", "") for name, mib in sizes]
    ready = bridges.seconds_until_ready(rounds)
    without, having = bridges.boots(rounds)
    ratio = _ratio(having, statistics.median(without))
    again = [bridges.seconds_to_build("mautrix-whatsapp")]
    return [
        *rows,
        Row("Synapse ready to the bot ready", ready, "s", "≤ 0.5 s"),
        Row("empty volume to a log-in, no bridge", without, "s", ""),
        Row("empty volume to a log-in, a bridge", having, "s", "no difference", ratio),
        Row("build of mautrix-whatsapp, compiled before", again, "s", ""),
    ]


def measure_memory(idle_seconds: int) -> list[Row]:
    """Measure the memory of everything after a while of nothing to do."""
    with containers.appliance(100) as appliance:
        appliance.start_until_logged_in(register=True)
        time.sleep(idle_seconds)
        memory = containers.resident_memory(appliance.name)
    rows = [Row(f"  {name}", [size / _MIB], "MiB", "") for name, size in sorted(memory.items())]
    total = Row("idle memory (PSS of all)", [sum(memory.values()) / _MIB], "MiB", "≤ 215 MiB")
    return [total, *rows]


def measure_testing(rounds: int) -> list[Row]:
    """Measure how long a test of another project waits for its server."""
    seconds = second_start.measure(rounds)
    own = statistics.median(seconds.sqlite)
    ratio = statistics.median(seconds.appliance) / own
    return [
        Row("Synapse's generated configuration, SQLite", seconds.sqlite, "s", ""),
        Row("MatrixAppliance().start(), warm", seconds.appliance, "s", ""),
        Row("  × Synapse's generated configuration", [ratio], "", ""),
    ]


def measure_rebuild() -> list[Row]:
    """Measure a build after an edit in `appliance/`."""
    return [Row("rebuild after an edit in appliance/", [rebuild.seconds()], "s", "≤ 10 s")]


def measure_certificates(rounds: int) -> list[Row]:
    """Measure how long the first certificate takes, and what a stored one costs a restart."""
    seconds = certificates.measure(rounds)
    plain = statistics.median(seconds.restart_without_tls)
    cost = statistics.median(seconds.restart) / plain
    return [
        Row("empty volume to TLS, by a placeholder", seconds.placeholder, "s", ""),
        Row("empty volume to the authority's certificate", seconds.certificate, "s", ""),
        Row("restart without TLS to an answer", seconds.restart_without_tls, "s", ""),
        Row("restart with a stored certificate", seconds.restart, "s", "≤ 1.05 × without TLS"),
        Row("  × without TLS", [cost], "", "≤ 1.05"),
    ]


def _ratio(values: Sequence[float], unit: float) -> float:
    return statistics.median(values) / unit


def main() -> None:
    """Measure, print the table and keep the figures under `bench/results`."""
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--idle-seconds", type=int, default=60)
    measurements: dict[str, Callable[[argparse.Namespace], list[Row]]] = {
        "bridges": lambda options: measure_bridges(options.rounds, options.idle_seconds),
        "boots": lambda options: measure_boots(options.rounds),
        "certificates": lambda options: measure_certificates(options.rounds),
        "memory": lambda options: measure_memory(options.idle_seconds),
        "memory-of-calls": lambda options: measure_memory_of_calls(options.idle_seconds),
        "boots-with-calls": lambda options: measure_boots_with_calls(options.rounds),
        "relayed-calls": lambda _: measure_relayed_calls(),
        "testing": lambda options: measure_testing(options.rounds),
        "rebuild": lambda _: measure_rebuild(),
    }
    parser.add_argument("--only", choices=measurements, action="append")
    options = parser.parse_args()
    chosen = options.only or [*measurements]
    only = "".join(f" --only {name}" for name in options.only or ())
    print(
        f"$ python -m bench --rounds {options.rounds} --idle-seconds {options.idle_seconds}{only}"
    )
    rows: list[Row] = []
    for name in chosen:
        for row in measurements[name](options):
            rows.append(row)
            print(row.render(), flush=True)
    RESULTS.mkdir(exist_ok=True)
    now = datetime.now(UTC)
    path = RESULTS / f"{now:%Y%m%d-%H%M%S}.json"
    record = {
        "time": now.isoformat(timespec="seconds"),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "options": vars(options),
        "rows": [asdict(row) for row in rows],
    }
    path.write_text(json.dumps(record, indent=1) + "\n")
    print(f"kept in {path.relative_to(Path.cwd())}")


if __name__ == "__main__":
    main()
