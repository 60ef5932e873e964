"""What the machine offers and the image holds: measured, not decided."""

import json
import os
import socket
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

JEMALLOC = "libjemalloc.so.2"
COMPONENTS_FILE = Path("/usr/share/appliance/components.json")
# Source: Linux kernel documentation, cgroup-v2 "memory.max" and cgroup-v1 "memory.limit_in_bytes".
_MEMORY_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)


@dataclass(frozen=True)
class Component:
    """A third-party component as this image holds it, or lacks it."""

    name: str
    version: str | None
    status: str
    reason: str = ""

    @property
    def present(self) -> bool:
        """Whether it is in the image."""
        return self.status != "missing"


@dataclass(frozen=True)
class Machine:
    """The machine that this boot runs on."""

    cores: int
    memory_bytes: int
    memory_limited: bool
    ipv6: bool
    jemalloc: bool
    components: tuple[Component, ...] = ()

    def component(self, name: str) -> Component:
        """Return a component by name; one that the image has never heard of is missing."""
        for component in self.components:
            if component.name == name:
                return component
        return Component(name, None, "missing", "this image was built without it")


def measure() -> Machine:
    """Look at the machine and the image."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = _read_memory_limit(_MEMORY_LIMITS)
    limited = limit is not None and limit < total
    return Machine(
        cores=len(os.sched_getaffinity(0)),
        memory_bytes=limit if limit is not None and limited else total,
        memory_limited=limited,
        ipv6=_has_ipv6(),
        jemalloc=_is_preloadable(JEMALLOC),
        components=read_components(COMPONENTS_FILE),
    )


def read_components(path: Path) -> tuple[Component, ...]:
    """Read what the build wrote of its components; none where there is no such file."""
    try:
        rows = json.loads(path.read_text())
    except FileNotFoundError:
        return ()
    return tuple(
        Component(row["name"], row["version"], row["status"], row["reason"]) for row in rows
    )


def _is_preloadable(library: str) -> bool:
    """Return whether a program runs with this library preloaded.

    The dynamic loader only complains on stderr about one that is missing, and jemalloc about a page
    size it was not built for.
    """
    result = subprocess.run(
        ["true"],
        env={"LD_PRELOAD": library, "PATH": os.environ.get("PATH", os.defpath)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    return result.returncode == 0 and not result.stderr


def _read_memory_limit(paths: Iterable[Path]) -> int | None:
    for path in paths:
        try:
            text = path.read_text().strip()
        except OSError:
            continue
        if text.isdigit():
            return int(text)
    return None


def _has_ipv6() -> bool:
    """Return whether an IPv6 address can be listened on (the kernel may have it switched off)."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True
