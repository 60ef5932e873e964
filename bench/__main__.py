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

from bench import certificates, containers, rebuild

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


def measure_memory(idle_seconds: int) -> list[Row]:
    """Measure the memory of everything after a while of nothing to do."""
    with containers.appliance(100) as appliance:
        appliance.start_until_logged_in(register=True)
        time.sleep(idle_seconds)
        memory = containers.resident_memory(appliance.name)
    rows = [Row(f"  {name}", [size / _MIB], "MiB", "") for name, size in sorted(memory.items())]
    total = Row("idle memory (PSS of all)", [sum(memory.values()) / _MIB], "MiB", "≤ 215 MiB")
    return [total, *rows]


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
    options = parser.parse_args()
    print(f"$ python -m bench --rounds {options.rounds} --idle-seconds {options.idle_seconds}")
    measurements: list[Callable[[], list[Row]]] = [
        lambda: measure_boots(options.rounds),
        lambda: measure_certificates(options.rounds),
        lambda: measure_memory(options.idle_seconds),
        measure_rebuild,
    ]
    rows: list[Row] = []
    for measure in measurements:
        for row in measure():
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
