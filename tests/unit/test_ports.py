import socket
from ipaddress import ip_address
from pathlib import Path

from appliance import ports
from appliance.listeners import Listener


def listener(port: int, address: str = "127.0.0.1") -> Listener:
    return Listener("MATRIX_HTTP_PORT", ip_address(address), port)


def test_a_free_port_is_no_problem_and_stays_free() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert [*ports.problems([listener(port), listener(port)])] == []


def test_a_taken_port_is_a_problem_on_every_address_it_covers() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        for address in ("127.0.0.1", "0.0.0.0"):
            (problem,) = ports.problems([listener(port, address)])
            assert problem.subject == "MATRIX_HTTP_PORT"
            assert f"port {port} is already taken at {address} by " in problem.message
        assert [*ports.problems([listener(port, "127.0.0.2")])] == []


def test_what_old_connections_leave_behind_is_no_problem() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        client = socket.create_connection(("127.0.0.1", port))
        accepted, _ = server.accept()
        accepted.close()  # the side that closes first waits
        client.close()
    assert [*ports.problems([listener(port)])] == []


def test_an_address_that_is_not_ours() -> None:
    (problem,) = ports.problems([listener(28080, "203.0.113.9")])
    assert (problem.subject, problem.message) == (
        "MATRIX_LISTEN",
        "203.0.113.9 is not an address of this machine",
    )


def test_where_this_machine_reaches_a_listener() -> None:
    assert listener(80, "0.0.0.0").reachable == "127.0.0.1:80"
    assert listener(80, "::").reachable == "[::1]:80"
    assert listener(80, "fd00::1").reachable == "[fd00::1]:80"


def test_a_pid_file_counts_only_for_its_own_program(tmp_path: Path) -> None:
    path = tmp_path / "pid"
    assert not ports.is_running("nginx", str(path))
    path.write_text("1\n")
    assert not ports.is_running("nginx", str(path))
    assert ports.is_running(Path("/proc/1/comm").read_text().strip(), str(path))
