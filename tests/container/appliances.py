"""The appliance under test: booted in every way that the tests need, with its log watched."""

import json
import re
import time
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

from testcontainers.core.container import DockerContainer

from appliance.testing import MatrixAppliance, free_port

from .http_client import PASSWORD, Account, Site
from .volumes import IMAGE, Volume, run_beside

_BAD_LINE = re.compile(
    r"\b(WARN|WRN|WARNING|ERR|ERROR|CRITICAL|FATAL|FTL|PANIC|PNC)\b|\[(warn|error|crit|alert|emerg)\]"
    r"|^Traceback|\| Traceback|appliance: (warning|stopped|not started)"
)
# What a log may hold that reads like a warning, and why it is none.
_EXPECTED = {
    r"^synapse +\| .* synapse\.config\.logger: ": "Synapse tells its version as a warning",
    r"^nginx +\| .*connect\(\) to unix:/run/synapse-sockets/": "asked before Synapse was ready",
    r" WARN (received SIG|stopped: )": "supervisor does what it was told",
    # Seen once, while a program ran.
    r" WARN process '\S+' \(\d+\) laststart time is in the future": "the clock was set back",
    r"FATAL: +the database system is (starting up|shutting down)$": "how it is was asked then",
    r"^postgres +\| +\w+ FATAL: +connection to client lost$": "a bridge was told to stop",
    r" WRN Request canceled ": "a bridge was told to stop, or one of its log-ins to end",
    # goolm tries every session of a device, and before 0.30 tells of those that are others'.
    r" WRN Failed to decrypt olm message .*bad mac": "a second session fits",
    r"^coturn +\| .*ERROR: .* TCP socket error: Connection reset by peer": "a caller went",
    r"^coturn +\| .*ERROR: A peer IP \S+ denied": "callers offer their addresses at home too",
    r" Not sending response to request .* already disconnected\.$": "a client went while it waited",
}
_PROGRAMS = """
import json
from appliance.supervisor_client import SupervisorClient
print(json.dumps({one.name: (one.state, one.pid) for one in SupervisorClient().programs()}))
"""


@dataclass(frozen=True)
class ProgramState:
    """A program as supervisor sees it."""

    state: str
    pid: int | None


@dataclass(frozen=True)
class Ending:
    """How a container that ended by itself did so."""

    status: int
    log: str

    @property
    def last_line(self) -> str:
        return self.log.strip().splitlines()[-1]


class Appliance(MatrixAppliance):
    """The image under test in a container of its own."""

    def __init__(
        self, *, image: str = IMAGE, data: Volume | None = None, **docker_options: Any
    ) -> None:
        super().__init__(image, **docker_options)
        self._expected = [re.compile(pattern) for pattern in _EXPECTED]
        self._lines_judged = 0
        if data:
            self.with_volume_mapping(data.name, "/data", "rw")
        # As a browser sees it, by the names of the design.
        self.with_variables(MATRIX_PUBLIC_BASE_URL="")

    def on_host_network(self) -> Self:
        """Listen where the trial of the README does, on ports of its own."""
        self.ports.clear()
        self._kwargs["network_mode"] = "host"
        own = ("SYNAPSE_PORT", "LIVEKIT_PORT", "LIVEKIT_TCP_PORT", "LIVEKIT_UDP_PORT")
        ports = {f"MATRIX_{name}": str(free_port()) for name in own}
        return self.with_variables(MATRIX_LISTEN="", MATRIX_REGISTRATION="", **ports)

    @cached_property
    def matrix(self) -> Site:
        """The host of the client API."""
        return self.site("matrix")

    @cached_property
    def chat(self) -> Site:
        """The host of the web client."""
        return self.site("chat")

    def site(self, name: str) -> Site:
        """Return one of its hosts by the first word of the name."""
        return Site(f"{name}.localhost:{self._port}", self._port)

    def is_ready(self) -> bool:
        try:
            return self.matrix.get("/_matrix/client/versions").status == 200
        except OSError:
            return False

    def start(self) -> Self:
        """Start it and wait for clients to be answered; tests ask for health where it counts."""
        DockerContainer.start(self)
        self.wait_until_ready()
        return self

    def create(self) -> None:
        """Create the container without starting it."""
        self._container = self.get_docker_client().create(
            self.image,
            environment=self.env,
            ports=self.ports,
            volumes={
                name: {"bind": mount["bind"], "mode": mount["mode"]}
                for name, mount in self.volumes.items()
            },
            tmpfs=self.tmpfs,
            **self._kwargs,
        )

    def make_account(self, name: str, *, admin: bool = False) -> Account:
        """Make an account as the owner does, and log it in at the public address."""
        options = ["--admin"] if admin else []
        self.command("user", "add", name, "--password-stdin", *options, standard_input=PASSWORD)
        return Account.log_in(self.matrix, name)

    def run_to_end(self) -> Ending:
        """Start it, wait until it has ended by itself and remove it."""
        try:
            DockerContainer.start(self)
            return self.wait_for_end()
        finally:
            self.stop()
            self._container = None

    def wait_for_end(self) -> Ending:
        """Wait until it has ended."""
        status = self.get_wrapped_container().wait(timeout=120)["StatusCode"]
        return Ending(status, self.logs())

    def boot(self) -> None:
        """Start it again after it has ended, and wait until clients are answered."""
        self.get_wrapped_container().start()
        self.wait_until_ready()

    def shut_down(self) -> int:
        """Stop it as `docker stop` does and return its exit status."""
        container = self.get_wrapped_container()
        container.stop(timeout=30)
        return int(container.wait()["StatusCode"])

    def kill(self) -> None:
        """End it as a power cut does."""
        container = self.get_wrapped_container()
        container.kill()
        container.wait()

    def look_at_processes(self, script: str) -> str:
        """Run a shell script beside its processes with the right to see all of each.

        Inside, not even root may read the environment of another user's process.
        """
        container = self.get_wrapped_container()
        return run_beside(
            container.client, script, pid_mode=f"container:{container.id}", cap_add=["SYS_PTRACE"]
        )

    def run(self, *command: str, user: str = "root") -> str:
        """Run a command inside and return its output; it must succeed."""
        result = self.get_wrapped_container().exec_run(list(command), user=user)
        output = str(result.output.decode())
        assert result.exit_code == 0, f"{' '.join(command)}: {result.exit_code}\n{output}"
        return output

    def found(self, job: str) -> dict[str, Any]:
        """Return what a job of the agent found last, {} if it has not run."""
        # Clients may be answered before the agent has looked for the first time.
        text = self.run("sh", "-c", "cat /run/agent/state.json 2> /dev/null || true")
        # Docker now and then loses what a program said that ended at once.
        return dict(json.loads(text)["jobs"].get(job, {})) if text else {}

    def supervisor(self, *arguments: str) -> str:
        """Give supervisor an order, inside."""
        return self.run("supervisorctl", "-s", "unix:///run/appliance/supervisor.sock", *arguments)

    def program(self, name: str) -> ProgramState:
        """Return what supervisor says of a program."""
        return ProgramState(*json.loads(self.run("python", "-c", _PROGRAMS))[name])

    def kill_process(self, pid: int | None) -> None:
        """Kill a process inside, if it is still there."""
        self.run("sh", "-c", f"kill -KILL {pid} || true")

    def local_address(self) -> str:
        """Return the address of the machine that it takes itself to be on."""
        container = self.get_wrapped_container()
        container.reload()
        (network,) = container.attrs["NetworkSettings"]["Networks"].values()
        return str(network["IPAddress"])

    def gateways(self) -> set[str]:
        """Return the addresses from which it sees this machine's requests."""
        container = self.get_wrapped_container()
        container.reload()
        networks = container.attrs["NetworkSettings"]["Networks"].values()
        return {network["Gateway"] for network in networks}

    def expect(self, pattern: str, because: str) -> Self:
        """Allow lines in the log that a test provokes."""
        assert because
        self._expected.append(re.compile(pattern))
        return self

    def unexpected_lines(self) -> list[str]:
        """Return the warnings and errors since the last time that nobody expected."""
        lines = self.logs().splitlines()
        new, self._lines_judged = lines[self._lines_judged :], len(lines)
        return [
            line
            for line in new
            if _BAD_LINE.search(line) and not any(one.search(line) for one in self._expected)
        ]


class LanAppliance(Appliance):
    """A server for a home network: `home.lan`, HTTPS by its own certificate authority."""

    DOMAIN = "home.lan"

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.https_port = free_port()
        self.ports.clear()
        self.publish(80, self._port)
        self.publish(443, self.https_port)
        self.with_variables(
            MATRIX_DOMAIN=self.DOMAIN,
            MATRIX_TLS_MODE="self-signed",
            MATRIX_BRIDGES="none",  # they have tests of their own
            MATRIX_HTTP_PORT="",
            MATRIX_REGISTRATION="",
            MATRIX_FEDERATION="off",
        )

    @cached_property
    def ca_certificate(self) -> str:
        """Its root certificate, as the landing page offers it to who does not trust it yet."""
        return self.plain_site("matrix").get("/appliance-ca.crt").body.decode()

    def plain_site(self, name: str) -> Site:
        """Return one of its hosts as it is before HTTPS."""
        return Site(f"{name}.{self.DOMAIN}", self._port)

    def site(self, name: str) -> Site:
        return Site(f"{name}.{self.DOMAIN}", self.https_port, self.ca_certificate)

    def is_ready(self) -> bool:
        try:
            return bool(self.ca_certificate) and super().is_ready()
        except OSError:
            return False


class ProxiedAppliance(Appliance):
    """A server that another reverse proxy stands in front of: `example.org`, plain HTTP."""

    DOMAIN = "example.org"

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.ports.clear()
        self.publish(8080, self._port)
        self.with_variables(
            MATRIX_DOMAIN=self.DOMAIN,
            MATRIX_TLS_MODE="proxy",
            MATRIX_PUBLIC_IP="none",
            MATRIX_BRIDGES="none",
            MATRIX_LISTEN="",
            MATRIX_HTTP_PORT="",
        )

    def site(self, name: str) -> Site:
        """Return one of its hosts as the other proxy reaches it."""
        return Site(f"{name}.{self.DOMAIN}", self._port)

    @cached_property
    def alice(self) -> Account:
        """Somebody who is logged in."""
        return self.make_account("alice")

    def is_ready(self) -> bool:
        # Not every one believes this machine to be its proxy.
        self.get_wrapped_container().reload()
        return self.status == "running" and self.is_healthy()


def until(condition: Any, what: str, within_seconds: float = 60) -> Any:
    """Wait until a condition holds and return what it returned."""
    deadline = time.monotonic() + within_seconds
    while not (result := condition()):
        assert time.monotonic() < deadline, f"not within {within_seconds} s: {what}"
        time.sleep(0.1)
    return result
