"""Whether the ports of a deployment are free, and who holds one that is not. Keeps none open."""

import errno
import socket
from collections.abc import Iterable, Iterator
from pathlib import Path

from appliance.errors import Problem
from appliance.listeners import Listener, Protocol

# Source: proc_net_tcp (Linux kernel documentation): the state of one that waits, and the columns.
_WAITING = {Protocol.TCP: "0A", Protocol.UDP: "07"}
_LOCAL_ADDRESS, _STATE, _INODE = 1, 3, 9


def problems(listeners: Iterable[Listener]) -> Iterator[Problem]:
    """Yield the listeners that cannot be had now."""
    for listener in listeners:
        try:
            _bind(listener)
        except OSError as error:
            yield _explain(listener, error)


def is_running(program: str, pid_file: str) -> bool:
    """Return whether the process that a pid file names lives and is that program."""
    try:
        pid = int(Path(pid_file).read_text())
        return Path(f"/proc/{pid}/comm").read_text().strip() == program
    except (OSError, ValueError):
        return False


def _bind(listener: Listener) -> None:
    family = socket.AF_INET6 if listener.address.version == 6 else socket.AF_INET
    tcp = listener.protocol is Protocol.TCP
    with socket.socket(family, socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM) as probe:
        if tcp:
            # As nginx does: what a connection leaves behind for a minute is no obstacle.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        probe.bind((str(listener.address), listener.port))


def _explain(listener: Listener, error: OSError) -> Problem:
    if error.errno == errno.EADDRNOTAVAIL:
        return Problem("MATRIX_LISTEN", f"{listener.address} is not an address of this machine")
    if error.errno == errno.EADDRINUSE:
        holder = _find_holder(listener.port, listener.protocol)
        by = f"by {holder}" if holder else "by a program outside this container"
        return Problem(
            listener.variable,
            f"{_word(listener)} is already taken at {listener.address} {by}: stop it, or set "
            f"{listener.variable} to a free port",
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return Problem(
            listener.variable,
            f"port {listener.port} is not allowed here: give the container the capability "
            f"NET_BIND_SERVICE, or set {listener.variable} to a port from 1024 on",
        )
    return Problem(listener.variable, f"{listener} cannot be listened on: {error.strerror}")


def _word(listener: Listener) -> str:
    kind = "" if listener.protocol is Protocol.TCP else "UDP "
    return f"{kind}port {listener.port}"


def _find_holder(port: int, protocol: Protocol) -> str | None:
    """Return the name and process ID of who listens on a port, as far as /proc shows it."""
    inodes = {f"socket:[{inode}]" for inode in _waiting_inodes(port, protocol)}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(str(link.readlink()) in inodes for link in (process / "fd").iterdir()):
                return f"{(process / 'comm').read_text().strip()} (process {process.name})"
        except OSError:  # it has ended, or is not for us to look at
            continue
    return None


def _waiting_inodes(port: int, protocol: Protocol) -> Iterator[str]:
    for table in (Path(f"/proc/net/{protocol}"), Path(f"/proc/net/{protocol}6")):
        if not table.exists():
            continue
        for line in table.read_text().splitlines()[1:]:
            columns = line.split()
            local_port = int(columns[_LOCAL_ADDRESS].rpartition(":")[2], 16)
            if columns[_STATE] == _WAITING[protocol] and local_port == port:
                yield columns[_INODE]
