"""Memory of programs and what they started, as far as one process may see another's."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Process:
    """A process of this machine: its parent, and its memory in bytes."""

    parent: int
    resident: int
    private: int


def read_processes(proc: Path = Path("/proc")) -> dict[int, Process]:
    """Return every process by its number. Source: proc_pid_status(5)."""
    processes = {}
    for path in proc.glob("[0-9]*/status"):
        try:
            lines = path.read_text(errors="replace").splitlines()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended meanwhile
        fields = dict(line.split(":", 1) for line in lines if ":" in line)
        processes[int(path.parent.name)] = Process(
            int(fields["PPid"]), _bytes_of(fields, "VmRSS"), _bytes_of(fields, "RssAnon")
        )
    return processes


def measure_memory(pid: int, processes: Mapping[int, Process]) -> int:
    """Return what a program holds: its process whole, of those below what is theirs alone."""
    own = processes[pid].resident if pid in processes else 0
    return own + sum(_private_below(pid, processes))


def _private_below(pid: int, processes: Mapping[int, Process]) -> Iterable[int]:
    for child, process in processes.items():
        if process.parent == pid:
            yield process.private
            yield from _private_below(child, processes)


def _bytes_of(fields: Mapping[str, str], name: str) -> int:
    return int(fields.get(name, "0 kB").split()[0]) * 1024
