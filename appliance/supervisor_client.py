"""Client of supervisor's XML-RPC interface over its Unix socket; needs nothing of supervisor.

Source: supervisor 4.3 documentation, "XML-RPC API Documentation".
"""

import http.client
import xmlrpc.client
from dataclasses import dataclass
from typing import Any

from appliance.errors import NotRunningError, OperationError
from appliance.paths import SUPERVISOR_SOCKET
from appliance.unix_http import UnixConnection


@dataclass(frozen=True)
class ProgramState:
    """A program as supervisor sees it. `state` is supervisor's word, in lower case."""

    name: str
    group: str
    state: str
    uptime_seconds: int
    pid: int | None
    exit_status: int
    reason: str

    @property
    def running(self) -> bool:
        """Whether it has a process that supervisor takes for started."""
        return self.state == "running"


class SupervisorClient:
    """Asks supervisor about its programs, and for the few things it may be asked for."""

    def __init__(self, socket: str = SUPERVISOR_SOCKET) -> None:
        self._server = xmlrpc.client.ServerProxy("http://localhost", transport=_Transport(socket))

    def programs(self) -> list[ProgramState]:
        """Return the state of every program."""
        rows: Any = self._call("getAllProcessInfo")
        return [_parse(row) for row in rows]

    def start(self, name: str) -> None:
        """Start a program without waiting for it; one that runs is left alone."""
        program = self._find(name)
        if program.state not in ("running", "starting"):
            self._call("startProcess", f"{program.group}:{name}", False)

    def stop(self, name: str) -> None:
        """Stop a program and wait for its end; one that does not run is left alone."""
        program = self._find(name)
        if program.state in ("running", "starting", "backoff"):
            self._call("stopProcess", f"{program.group}:{name}", True)

    def signal(self, name: str, signal: str) -> None:
        """Send a signal, by its name without `SIG`, to a program that runs."""
        self._call("signalProcess", f"{self._find(name).group}:{name}", signal)

    def restart(self, name: str) -> None:
        """Stop a program and start it again, without waiting for the start."""
        program = self._find(name)
        full_name = f"{program.group}:{name}"
        if program.state in ("running", "starting"):
            self._call("stopProcess", full_name, True)
        self._call("startProcess", full_name, False)

    def _find(self, name: str) -> ProgramState:
        for program in self.programs():
            if program.name == name:
                return program
        raise OperationError(f"supervisor has no program called {name}")

    def _call(self, method: str, *arguments: object) -> object:
        try:
            return getattr(self._server.supervisor, method)(*arguments)
        except (FileNotFoundError, ConnectionRefusedError):
            raise NotRunningError from None
        except xmlrpc.client.Fault as fault:
            raise OperationError(f"supervisor refuses {method}: {fault.faultString}") from fault
        except (OSError, http.client.HTTPException, xmlrpc.client.ProtocolError) as error:
            raise OperationError(f"supervisor does not answer: {error}") from error


class _Transport(xmlrpc.client.Transport):
    def __init__(self, socket: str) -> None:
        super().__init__()
        self._socket = socket

    def make_connection(self, host: object) -> http.client.HTTPConnection:
        """Return a connection to the socket, whatever the URL says."""
        del host
        return UnixConnection(self._socket, timeout_seconds=10)


def _parse(row: dict[str, Any]) -> ProgramState:
    running = row["statename"] in ("RUNNING", "STARTING", "STOPPING")
    return ProgramState(
        name=row["name"],
        group=row["group"],
        state=row["statename"].lower(),
        uptime_seconds=max(0, row["now"] - row["start"]) if running else 0,
        pid=row["pid"] or None,
        exit_status=row["exitstatus"],
        reason=row["spawnerr"],
    )
