"""Containers to measure: the appliance, and Synapse alone on a database that is ready.

Everything listens on loopback, on ports of its own, beside whatever else runs on the machine.
"""

import contextlib
import http.client
import json
import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

IMAGE = os.environ.get("APPLIANCE_IMAGE", "matrix-appliance")
PORT = 18480
BARE_PORT = 18481
USER, PASSWORD = "bench", "a-password-for-measuring"
_PREFIX = "matrix-appliance-bench"
_GIVE_UP_SECONDS = 120
# What the appliance renders, with Synapse on a port of its own in the place of nginx's socket.
_BARE = f"""
import re, sys
text = open("/run/synapse/homeserver.yaml").read()
listener = "  - {{port: {BARE_PORT}, bind_addresses: [127.0.0.1], type: http, resources: " \\
    "[{{names: [client]}}]}}\\n"
text = re.sub(r"(?s)(listeners:\\n).*?(?=\\n\\n?\\w)", lambda m: m[1] + listener, text)
open("/bench/homeserver.yaml", "w").write(text.replace("/run/synapse/", "/bench/"))
"""


class DockerError(Exception):
    """Docker refused something a measurement needs."""


def docker(*arguments: str) -> str:
    """Run docker and return what it printed. Raise DockerError if it refuses."""
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise DockerError(f"docker {arguments[0]}: {done.stderr.strip()}")
    return done.stdout.strip()


@dataclass(frozen=True)
class Container:
    """A container by name, and the port where its client API answers."""

    name: str
    port: int

    def start_until_logged_in(self, *, register: bool) -> float:
        """Start it and return the seconds until somebody is logged in."""
        started = time.monotonic()
        docker("start", self.name)
        log_in(self.port, register=register)
        return time.monotonic() - started

    def start_until_healthy(self) -> None:
        """Start it and wait until every part that it cannot do without answers."""
        docker("start", self.name)
        deadline = time.monotonic() + _GIVE_UP_SECONDS
        while time.monotonic() < deadline:
            with contextlib.suppress(DockerError):
                docker("exec", self.name, "appliance", "health")
                return
            time.sleep(1)
        raise DockerError(f"{self.name} is not healthy after {_GIVE_UP_SECONDS} s")

    def stop(self) -> None:
        """Stop it as `docker stop` does."""
        docker("stop", self.name)


def log_in(port: int, *, register: bool) -> None:
    """Log in (or register, which logs in too), asking again and again until the server answers."""
    if register:
        path = "register"
        body = {"username": USER, "password": PASSWORD, "auth": {"type": "m.login.dummy"}}
    else:
        path = "login"
        body = {
            "type": "m.login.password",
            "identifier": {"type": "m.id.user", "user": USER},
            "password": PASSWORD,
        }
    deadline = time.monotonic() + _GIVE_UP_SECONDS
    last: object = "nothing answered"
    while time.monotonic() < deadline:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request("POST", f"/_matrix/client/v3/{path}", json.dumps(body))
            response = connection.getresponse()
            last = f"{response.status} {response.read()[:200]!r}"
            if response.status == 200:
                return
        except (OSError, http.client.HTTPException) as error:
            last = error
        finally:
            connection.close()
        time.sleep(0.01)
    raise DockerError(f"no log-in on port {port}: {last}")


@contextlib.contextmanager
def appliance(number: int, more: Mapping[str, str] | None = None) -> Iterator[Container]:
    """Create, not start, an appliance on an empty volume."""
    name = f"{_PREFIX}-{number}"
    variables = {"MATRIX_HTTP_PORT": PORT, "MATRIX_SYNAPSE_PORT": PORT + 10, **(more or {})}
    with _created(name, [], [f"--env={key}={value}" for key, value in variables.items()]):
        yield Container(name, PORT)


@contextlib.contextmanager
def bare_synapse() -> Iterator[Container]:
    """Create, not start, Synapse alone, beside a Postgres of the same image that is ready."""
    database, synapse = f"{_PREFIX}-database", f"{_PREFIX}-bare"
    shared = [f"--volume={_PREFIX}-run:/run", f"--volume={_PREFIX}-bare:/bench"]
    with contextlib.ExitStack() as stack:
        for volume in ("run", "bare"):
            stack.callback(_remove_volume, f"{_PREFIX}-{volume}")
        # Boot once to make the database and the configuration, then keep its Postgres alone.
        variables = [f"--env=MATRIX_HTTP_PORT={PORT}", f"--env=MATRIX_SYNAPSE_PORT={PORT + 10}"]
        stack.enter_context(_created(database, shared, variables))
        Container(database, PORT).start_until_logged_in(register=True)
        docker("exec", database, "python", "-c", _BARE)
        docker("exec", database, "sh", "-c", _COPY_FOR_BARE)
        docker("exec", database, "supervisorctl", "-s", _SUPERVISOR, "stop", "appliance:*")
        command = ["synapse_homeserver", "-c", "/bench/homeserver.yaml"]
        options = [*shared, "--user=synapse", "--entrypoint=", "--env=LD_PRELOAD=libjemalloc.so.2"]
        stack.enter_context(_created(synapse, options, [], command))
        yield Container(synapse, BARE_PORT)


_SUPERVISOR = "unix:///run/appliance/supervisor.sock"
_COPY_FOR_BARE = (
    "cp /run/synapse/signing.key /run/synapse/*_secret /run/synapse/log.yaml /bench/ && "
    "sed -i 's#/run/synapse-sockets/synapse.pid#/tmp/synapse.pid#; "
    "s#/data/synapse/media#/tmp/media#' /bench/homeserver.yaml && chown -R synapse: /bench"
)


@contextlib.contextmanager
def _created(
    name: str, options: Sequence[str], variables: Sequence[str], command: Sequence[str] = ()
) -> Iterator[None]:
    subprocess.run(["docker", "rm", "--force", "--volumes", name], capture_output=True, check=False)
    docker("create", "--network=host", f"--name={name}", *options, *variables, IMAGE, *command)
    try:
        yield
    finally:
        docker("rm", "--force", "--volumes", name)


def _remove_volume(name: str) -> None:
    subprocess.run(["docker", "volume", "rm", "--force", name], capture_output=True, check=False)


def resident_memory(name: str) -> dict[str, int]:
    """Return the PSS in bytes of every process of a container, by the program's name.

    Read from the host as root: inside, other users' `smaps_rollup` cannot be read.
    Source: proc_pid_smaps(5).
    """
    rows = docker("top", name, "-eo", "pid,args").splitlines()[1:]
    memory: dict[str, int] = {}
    for row in rows:
        pid, _, arguments = row.strip().partition(" ")
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        kibibytes = next(line.split()[1] for line in rollup.splitlines() if line.startswith("Pss:"))
        program = _program_of(arguments)
        memory[program] = memory.get(program, 0) + int(kibibytes) * 1024
    return memory


def _program_of(arguments: str) -> str:
    for name in (
        "heisenbridge",
        "supervisord",
        "postgres",
        "synapse",
        "nginx",
        "turnserver",
        "livekit",
        "rtc",
        "agent",
    ):
        if name in arguments:
            return name
    return arguments.split(maxsplit=1)[0]
