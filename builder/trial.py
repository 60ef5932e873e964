"""The trial on this machine: one container, a volume of its own, and how to get in."""

import getpass
import hashlib
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass

from appliance import machine, probe, settings
from appliance.errors import ConfigurationError
from appliance.listeners import client_address
from appliance.probe import HttpProbe
from appliance.settings import Registration, Settings
from builder.docker import Docker
from builder.engine import Engine
from builder.errors import BuildError

NAME = "matrix-appliance-trial"
_PREFIX = "MATRIX_"
_READY_SECONDS = 120
_LABEL = "matrix-appliance.variables"
_PUBLISHED = """\
{gap}. So the trial is not started here; publish its port instead:

    docker run -d --name {name} -v {name}:/data -p 127.0.0.1:{port}:{port} \\
        -e MATRIX_HTTP_PORT={port} -e MATRIX_LISTEN=0.0.0.0 -e MATRIX_REGISTRATION=open {image}

It is then at http://chat.localhost:{port}; every client seems to come from one address there."""


@dataclass(frozen=True)
class Trial:
    """A trial that is to run: the engine, the image and the variables of whoever asked."""

    engine: Engine
    image: str
    variables: Mapping[str, str]

    @property
    def docker(self) -> Docker:
        """The client to run it with."""
        return self.engine.docker

    def start(self) -> Settings:
        """Start the trial, or leave it if it runs already; return its settings once it answers.

        Raise BuildError if it does not come to that.
        """
        loaded = self._load_settings()
        if gap := self.engine.host_network_gap:
            raise BuildError(explain_published_port(gap, loaded.http_port, self.image))
        if not self._runs_already():
            self._run()
        self._wait(loaded)
        return loaded

    def _load_settings(self) -> Settings:
        try:
            return settings.load(self.variables)
        except ConfigurationError as error:
            raise BuildError(str(error)) from error

    def _runs_already(self) -> bool:
        form = '{{.State.Running}} {{.Image}} {{index .Config.Labels "' + _LABEL + '"}}'
        if not self.docker.succeeds("container", "inspect", NAME):
            return False
        image_id = self.docker.read("image", "inspect", self.image, "--format", "{{.Id}}")
        found = self.docker.read("container", "inspect", NAME, "--format", form)
        return found == f"true {image_id} {self._fingerprint()}"

    def _run(self) -> None:
        """Put a new container in the place of the one before; the volume stays."""
        remove(self.docker)
        # Variables go by name, so that no value is seen in `ps`.
        passed = [part for name in self.variables for part in ("--env", name)]
        self.docker.read(
            *("run", "--detach", "--network", "host", "--name", NAME, "--volume", f"{NAME}:/data"),
            *("--label", f"{_LABEL}={self._fingerprint()}", *passed, self.image),
        )

    def _fingerprint(self) -> str:
        """Return a digest of the variables; their values may be secret."""
        text = "\0".join(f"{name}={value}" for name, value in sorted(self.variables.items()))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def _wait(self, loaded: Settings) -> None:
        """Wait until it answers where clients ask; its last words if it ends instead."""
        print("Waiting for the server …", flush=True)
        # From where clients are, and not by `docker exec`: it is what a person does next.
        address = client_address(loaded, machine.measure())
        question = HttpProbe(address, "/_matrix/client/versions", loaded.matrix_host, loaded.tls)
        deadline = time.monotonic() + _READY_SECONDS
        while True:
            answer = probe.ask([question])
            state = self.docker.read("container", "inspect", NAME, "--format", "{{.State.Status}}")
            if state == "running" and answer.healthy:
                return
            if state != "running" or time.monotonic() > deadline:
                self.docker.run("logs", "--tail", "15", NAME)
                problem = f"{answer.detail} at {address}" if state == "running" else f"it {state}"
                raise BuildError(f"the trial is not there: {problem}; its last lines are above")
            time.sleep(0.2)


def remove(docker: Docker, *, volume: bool = False) -> bool:
    """Remove the trial's container, its volume too if asked; return whether anything was there."""
    there = docker.succeeds("container", "inspect", NAME)
    if there:
        docker.read("rm", "--force", NAME)
    if volume and docker.succeeds("volume", "inspect", NAME):
        docker.read("volume", "rm", NAME)
        there = True
    return there


def variables_of(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the appliance's variables of a shell."""
    return {name: value for name, value in environment.items() if name.startswith(_PREFIX)}


def explain_published_port(gap: str, port: int, image: str) -> str:
    """Return how to start the trial where the host's network cannot be had."""
    # A port that no engine, and no other person's machine, keeps for root.
    port = port if port >= 1024 else 8080
    return _PUBLISHED.format(gap=gap, port=port, name=NAME, image=image)


def describe(loaded: Settings, environment: Mapping[str, str]) -> str:
    """Return where the trial is and how to get in."""
    is_open = loaded.registration is Registration.OPEN
    invitation = "Register in a client, or make" if is_open else "Make"
    lines = [
        "",
        f"  web client   {loaded.chat_url}",
        f"  this server  {loaded.base_url}",
        "",
        f"  {invitation} the first user here:",
        f"      docker exec -it {NAME} appliance user add alice --admin",
    ]
    if _is_remote(environment) and not loaded.listens_beyond_loopback:
        port = loaded.https_port if loaded.tls else loaded.http_port
        lines += ["", *_explain_tunnel(port, _find_destination(environment))]
    return "\n".join([*lines, ""])


def _is_remote(environment: Mapping[str, str]) -> bool:
    desktop = environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY")
    return bool(environment.get("SSH_CONNECTION")) or not desktop


def _find_destination(environment: Mapping[str, str]) -> str:
    """Return how ssh gets here: as it did already where it did, else by this machine's name."""
    user = environment.get("SUDO_USER") or getpass.getuser()
    # Source: ssh(1), SSH_CONNECTION: client address, client port, server address, server port.
    match environment.get("SSH_CONNECTION", "").split():
        case [_, _, address, "22"]:
            return f"{user}@{address}"
        case [_, _, address, port]:
            return f"-p {port} {user}@{address}"
    return f"{user}@{os.uname().nodename}"


def _explain_tunnel(port: int, destination: str) -> list[str]:
    """Return how a browser elsewhere gets here; the port stays, since addresses carry it."""
    lines = [
        "  From your own machine, then open the same address there:",
        f"      ssh -L {port}:localhost:{port} {destination}",
    ]
    if port < 1024:
        lines += [
            f"  Where port {port} is root's alone, take another at both ends:",
            "      MATRIX_HTTP_PORT=8080 ./inv up",
            f"      ssh -L 8080:localhost:8080 {destination}",
        ]
    return lines
