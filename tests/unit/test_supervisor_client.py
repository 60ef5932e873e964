"""Against an XML-RPC server on a Unix socket; supervisor itself answers in tests/container."""

import socketserver
import threading
import xmlrpc.client
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xmlrpc.server import SimpleXMLRPCDispatcher, SimpleXMLRPCRequestHandler

import pytest

from appliance.errors import NotRunningError, OperationError
from appliance.supervisor_client import SupervisorClient


class Handler(SimpleXMLRPCRequestHandler):
    rpc_paths = ("/RPC2",)
    disable_nagle_algorithm = False

    def address_string(self) -> str:
        return "unix"


class Server(socketserver.ThreadingUnixStreamServer, SimpleXMLRPCDispatcher):
    logRequests = False  # noqa: N815 - the handler's name for it

    def __init__(self, path: str) -> None:
        SimpleXMLRPCDispatcher.__init__(self, allow_none=True)
        socketserver.ThreadingUnixStreamServer.__init__(self, path, Handler)
        self.daemon_threads = True


def process(name: str, state: str, **more: Any) -> dict[str, Any]:
    times = {"start": 1000, "stop": 0, "now": 1090}
    rest = {"group": "appliance", "spawnerr": "", "exitstatus": 0, "pid": 0}
    return {"name": name, "statename": state, **times, **rest, **more}


class Supervisor:
    def __init__(self) -> None:
        self.processes = [
            process("synapse", "RUNNING", pid=12),
            process("databases", "EXITED", exitstatus=3, stop=1020),
            process("postgres", "FATAL", spawnerr="cannot find it", group="postgres"),
        ]
        self.asked: list[tuple[Any, ...]] = []

    def getAllProcessInfo(self) -> list[dict[str, Any]]:  # noqa: N802 - supervisor's names
        return self.processes

    def startProcess(self, name: str, wait: bool) -> bool:  # noqa: N802
        self.asked.append(("start", name, wait))
        return True

    def signalProcess(self, name: str, signal: str) -> bool:  # noqa: N802
        if "postgres" in name:
            raise xmlrpc.client.Fault(70, "NOT_RUNNING")
        self.asked.append(("signal", name, signal))
        return True


@pytest.fixture
def supervisor() -> Supervisor:
    return Supervisor()


@pytest.fixture
def client(supervisor: Supervisor, tmp_path: Path) -> Iterator[SupervisorClient]:
    server = Server(str(tmp_path / "supervisor.sock"))
    for name in ("getAllProcessInfo", "startProcess", "signalProcess"):
        server.register_function(getattr(supervisor, name), f"supervisor.{name}")
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield SupervisorClient(str(tmp_path / "supervisor.sock"))
    server.shutdown()
    server.server_close()


def test_states_of_programs(client: SupervisorClient) -> None:
    synapse, databases, postgres = client.programs()
    assert (synapse.state, synapse.running, synapse.pid) == ("running", True, 12)
    assert synapse.uptime_seconds == 90
    assert (databases.state, databases.exit_status, databases.pid) == ("exited", 3, None)
    assert databases.uptime_seconds == 0
    assert (postgres.state, postgres.reason) == ("fatal", "cannot find it")


def test_a_program_is_addressed_with_its_group(
    client: SupervisorClient, supervisor: Supervisor
) -> None:
    client.start("databases")
    client.signal("synapse", "HUP")
    assert supervisor.asked == [
        ("start", "appliance:databases", False),
        ("signal", "appliance:synapse", "HUP"),
    ]


def test_what_runs_is_not_started_again(client: SupervisorClient, supervisor: Supervisor) -> None:
    client.start("synapse")
    assert supervisor.asked == []


def test_an_unknown_program(client: SupervisorClient) -> None:
    with pytest.raises(OperationError, match="no program called nginx"):
        client.start("nginx")


def test_a_fault_names_the_request_and_the_reason(client: SupervisorClient) -> None:
    with pytest.raises(OperationError, match="refuses signalProcess: NOT_RUNNING"):
        client.signal("postgres", "HUP")


def test_no_supervisor(tmp_path: Path) -> None:
    with pytest.raises(NotRunningError):
        SupervisorClient(str(tmp_path / "none.sock")).programs()
