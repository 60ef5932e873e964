"""Finds a Docker engine and a client that can drive its BuildKit; on Debian as root gets them.

Knows nothing of what is built or run.
"""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from builder import apt
from builder.docker import Docker
from builder.errors import BuildError

_LOG = Path("/var/log/dockerd.log")
_START_SECONDS = 60
# Where a client may stand that the PATH hides behind another.
_CLIENT_FOLDERS = ("/usr/bin",)
# AppArmor's parser is only recommended; where the kernel has AppArmor no container starts without.
_PACKAGES = ("docker.io", "docker-cli", "docker-buildx", "apparmor")
# Clients from 23 on build with the buildx plugin alone; before that BuildKit is their own.
_FIRST_CLIENT_WITHOUT_BUILDKIT = 23
_ADVICE = (
    "install Docker (https://docs.docker.com/engine/install), start it, and see that `docker info` "
    "answers for this user"
)


@dataclass(frozen=True)
class Engine:
    """An engine that answers: the client that drives it, and where host networking differs."""

    client: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    host_network_gap: str | None = None
    """What a container on the host's network would miss, None where it misses nothing."""

    @property
    def docker(self) -> Docker:
        """The client, ready to run commands."""
        return Docker(self.client, self.environment)


def find_engine(environment: Mapping[str, str]) -> Engine:
    """Return the engine that answers, whether it can build or not. Raise BuildError without one."""
    answering = _answering(environment)
    if not answering:
        raise _silence(environment)
    return Engine((answering[0],), environment)


def ensure_engine(environment: Mapping[str, str]) -> Engine:
    """Return an engine that builds, installed and started if need be.

    Raise BuildError saying what to do.
    """
    environment = {**environment, "DOCKER_BUILDKIT": "1"}
    if not _answering(environment):
        _get_engine(environment)
    answering = _answering(environment)
    client = _choose(answering, environment)
    if client is None and apt.may_install():
        apt.install(_PACKAGES, environment)
        client = _choose(_answering(environment), environment)
    if client is None:
        raise BuildError(
            f"{' and '.join(answering)} cannot build with BuildKit: install the buildx plugin "
            "(on Debian: apt install docker-buildx)"
        )
    docker = Docker((client,), environment)
    return Engine((client,), environment, find_host_network_gap(docker))


def find_host_network_gap(docker: Docker) -> str | None:
    """Return what a container on the host's network would miss, None where it misses nothing."""
    if "podman" in docker.read("version").lower():
        return "Podman is not what this was made with, and as a user it cannot take port 80"
    info = json.loads(docker.read("info", "--format", "{{json .}}"))
    if any("rootless" in option for option in info.get("SecurityOptions") or []):
        return "The host network of rootless Docker is its own, and not this machine's"
    if info.get("OperatingSystem") == "Docker Desktop":
        return "The host network of Docker Desktop is that of its virtual machine"
    return None


def _clients(environment: Mapping[str, str]) -> list[str]:
    """Return every Docker client of this machine, first on the PATH first."""
    folders = environment.get("PATH", os.defpath).split(os.pathsep)
    found = [shutil.which("docker", path=folder) for folder in (*folders, *_CLIENT_FOLDERS)]
    return list(dict.fromkeys(client for client in found if client))


def _answering(environment: Mapping[str, str]) -> list[str]:
    """Return the clients that reach an engine."""
    clients = _clients(environment)
    return [client for client in clients if Docker((client,), environment).succeeds("info")]


def _silence(environment: Mapping[str, str]) -> BuildError:
    if address := environment.get("DOCKER_HOST"):
        return BuildError(f"no Docker engine answers at DOCKER_HOST, which is {address}")
    return BuildError(f"no Docker engine answers: {_ADVICE}")


def _choose(clients: list[str], environment: Mapping[str, str]) -> str | None:
    """Return the first client that can build, saying so where it is not simply the first."""
    for client in clients:
        if _drives_buildkit(Docker((client,), environment)):
            if client != clients[0]:
                print(
                    f"Using {client}: {clients[0]} has no buildx plugin to build with.", flush=True
                )
            return client
    return None


def _drives_buildkit(docker: Docker) -> bool:
    if docker.succeeds("buildx", "version"):
        return True
    version = docker.read("version", "--format", "{{.Client.Version}}")
    major = version.partition(".")[0]
    return major.isdigit() and int(major) < _FIRST_CLIENT_WITHOUT_BUILDKIT


def _get_engine(environment: Mapping[str, str]) -> None:
    """Install an engine if there is none, and start it."""
    if environment.get("DOCKER_HOST") or not apt.may_install():
        raise _silence(environment)
    if shutil.which("dockerd") is None or not _clients(environment):
        print("There is no Docker engine.", flush=True)
        apt.install(_PACKAGES, environment)
    if Path("/run/systemd/system").is_dir():
        print("Starting Docker by systemd …", flush=True)
        status = subprocess.run(["systemctl", "start", "docker"], check=False).returncode
        if status:
            raise BuildError(f"systemctl start docker ended with status {status}, see above")
    else:
        _start_dockerd(environment)


def _start_dockerd(environment: Mapping[str, str]) -> None:
    """Start the engine where no systemd does, and wait for it. Raise BuildError if it fails."""
    print(f"Starting dockerd, which stays (its log: {_LOG}) …", flush=True)
    with _LOG.open("ab") as log:
        daemon = subprocess.Popen(
            ["dockerd"], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    deadline = time.monotonic() + _START_SECONDS
    while not _answering(environment):
        if daemon.poll() is not None or time.monotonic() > deadline:
            tail = "\n".join(_LOG.read_text(errors="replace").splitlines()[-10:])
            raise BuildError(f"dockerd does not answer:\n{tail}")
        time.sleep(0.5)
