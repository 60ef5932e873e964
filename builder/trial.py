"""The trial on this machine: one container, a volume of its own, and how to get in."""

import hashlib
import os
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass

from appliance import settings
from appliance.errors import ConfigurationError
from appliance.settings import Settings
from builder.docker import Docker
from builder.engine import Engine
from builder.errors import BuildError

NAME = "matrix-appliance-trial"
_PREFIX = "MATRIX_"
_READY_SECONDS = 120
_LABEL = "matrix-appliance.variables"
_PUBLISHED = """\
{engine} has a network of its own: `--network host` would not reach this machine. Publish the ports:

    docker run -p 127.0.0.1:{port}:{port} -e MATRIX_HTTP_PORT={port} -e MATRIX_LISTEN=0.0.0.0 \\
        -e MATRIX_REGISTRATION=open -v {name}:/data {image}

Calls need host networking and will not work there."""


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
        if self.engine.host_network_gap:
            raise BuildError(
                _PUBLISHED.format(
                    engine=self.engine.host_network_gap,
                    port=loaded.http_port if loaded.http_port >= 1024 else 8080,
                    name=NAME,
                    image=self.image,
                )
            )
        if not self._runs_already():
            self.docker.succeeds("rm", "--force", NAME)
            # Variables go by name, so that no value is seen in `ps`.
            passed = [part for name in self.variables for part in ("--env", name)]
            self.docker.read(
                *("run", "--detach", "--network", "host", "--name", NAME),
                *("--volume", f"{NAME}:/data", "--restart", "unless-stopped"),
                *("--label", f"{_LABEL}={self._fingerprint()}"),
                *(*passed, self.image),
            )
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

    def _fingerprint(self) -> str:
        """Return a digest of the variables; their values may be secret."""
        text = "\0".join(f"{name}={value}" for name, value in sorted(self.variables.items()))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def _wait(self, loaded: Settings) -> None:
        """Wait until the trial answers; show its last words if it ends instead."""
        print("Waiting for the server …", flush=True)
        deadline = time.monotonic() + _READY_SECONDS
        while time.monotonic() < deadline and self._is_running():
            if _answers(f"http://127.0.0.1:{loaded.http_port}/_matrix/client/versions"):
                return
            time.sleep(0.2)
        self.docker.run("logs", "--tail", "15", NAME)
        self.docker.read("rm", "--force", NAME)
        raise BuildError("the trial did not start; its last lines are above")

    def _is_running(self) -> bool:
        """Return whether the container lives and is not tried again and again."""
        form = "{{.State.Running}} {{.State.Restarting}}"
        return self.docker.read("container", "inspect", NAME, "--format", form) == "true false"


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5):  # noqa: S310 - http, ours
            return True
    except OSError:
        return False


def variables_of(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the appliance's variables of a shell."""
    return {name: value for name, value in environment.items() if name.startswith(_PREFIX)}


def describe(loaded: Settings, environment: Mapping[str, str]) -> str:
    """Return where the trial is and how to get in."""
    lines = [
        "",
        f"  web client   {loaded.chat_url}",
        f"  this server  {loaded.base_url}",
        "",
        "  Register in a client, or make the first user here:",
        f"      docker exec -it {NAME} appliance user add alice --admin",
    ]
    if _is_remote(environment):
        lines += ["", *_explain_tunnel(loaded.http_port)]
    return "\n".join([*lines, ""])


def _is_remote(environment: Mapping[str, str]) -> bool:
    desktop = environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY")
    return bool(environment.get("SSH_CONNECTION")) or not desktop


def _explain_tunnel(port: int) -> list[str]:
    """Return how a browser elsewhere gets here; the port stays, since addresses carry it."""
    host = os.uname().nodename
    lines = [
        "  From your own machine, then open the same address there:",
        f"      ssh -L {port}:localhost:{port} {host}",
    ]
    if port < 1024:
        lines += [
            f"  Where port {port} is root's alone, take another at both ends:",
            "      MATRIX_HTTP_PORT=8080 ./inv up",
            f"      ssh -L 8080:localhost:8080 {host}",
        ]
    return lines
