"""Finds a Docker engine and a client that can drive its BuildKit; on Debian as root gets them.

Knows nothing of what is built or run.
"""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from builder.docker import Docker
from builder.errors import BuildError

_LOG = Path("/var/log/dockerd.log")
_START_SECONDS = 60
# Where a client may stand that the PATH hides behind another.
_CLIENT_FOLDERS = ("/usr/bin",)
_PACKAGES = ("docker.io", "docker-cli", "docker-buildx")
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
    """Why `--network host` is not this machine's network, None where it is."""

    @property
    def docker(self) -> Docker:
        """The client, ready to run commands."""
        return Docker(self.client, self.environment)


def ensure_engine(environment: Mapping[str, str]) -> Engine:
    """Return an engine, installed and started if need be. Raise BuildError saying what to do."""
    environment = {**environment, "DOCKER_BUILDKIT": "1"}
    if not _answering(_clients(environment), environment):
        _get_engine(environment)
    answering = _answering(_clients(environment), environment)
    if not answering:
        raise BuildError(f"no Docker engine answers: {_ADVICE}")
    client = _choose(answering, environment)
    if client is None and _may_install():
        _install(environment)
        client = _choose(_answering(_clients(environment), environment), environment)
    if client is None:
        raise BuildError(
            f"{', '.join(answering)} cannot build with BuildKit: install the buildx plugin "
            "(docker-buildx)"
        )
    docker = Docker((client,), environment)
    return Engine((client,), environment, find_host_network_gap(docker))


def find_host_network_gap(docker: Docker) -> str | None:
    """Return what keeps a container from this machine's own network, None if nothing does."""
    if "podman" in docker.read("version").lower():
        return "Podman"
    info = json.loads(docker.read("info", "--format", "{{json .}}"))
    if any("rootless" in option for option in info.get("SecurityOptions") or []):
        return "rootless Docker"
    if info.get("OperatingSystem") == "Docker Desktop":
        return "Docker Desktop"
    return None


def _clients(environment: Mapping[str, str]) -> list[str]:
    """Return every Docker client of this machine, first on the PATH first."""
    folders = environment.get("PATH", os.defpath).split(os.pathsep)
    found = [shutil.which("docker", path=folder) for folder in (*folders, *_CLIENT_FOLDERS)]
    return list(dict.fromkeys(client for client in found if client))


def _answering(clients: Iterable[str], environment: Mapping[str, str]) -> list[str]:
    return [client for client in clients if Docker((client,), environment).succeeds("info")]


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


def _may_install() -> bool:
    system = Path("/etc/os-release")
    text = system.read_text() if system.exists() else ""
    return os.geteuid() == 0 and any(f"ID={name}\n" in text for name in ("debian", "ubuntu"))


def _get_engine(environment: Mapping[str, str]) -> None:
    """Install an engine if there is none, and start it."""
    if not _may_install():
        raise BuildError(f"no Docker engine answers: {_ADVICE}")
    if shutil.which("dockerd") is None:
        _install(environment)
    if Path("/run/systemd/system").is_dir():
        print("Starting Docker by systemd …", flush=True)
        subprocess.run(["systemctl", "start", "docker"], check=False)
    else:
        print(f"Starting dockerd (its log: {_LOG}) …", flush=True)
        with _LOG.open("ab") as log:
            subprocess.Popen(
                ["dockerd"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
    deadline = time.monotonic() + _START_SECONDS
    while not _answering(_clients(environment), environment):
        if time.monotonic() > deadline:
            tail = "\n".join(_tail(_LOG))
            raise BuildError(f"dockerd does not answer after {_START_SECONDS} s:\n{tail}")
        time.sleep(0.5)


def _install(environment: Mapping[str, str]) -> None:
    environment = {"DEBIAN_FRONTEND": "noninteractive", **environment}
    _apt("update", environment=environment)
    packages = [name for name in _PACKAGES if _is_packaged(name)]
    print(f"Installing {', '.join(packages)} with apt …", flush=True)
    _apt("install", "-y", "--no-install-recommends", *packages, environment=environment)


def _is_packaged(name: str) -> bool:
    done = subprocess.run(["apt-cache", "show", name], capture_output=True, check=False)
    return done.returncode == 0


def _apt(*arguments: str, environment: Mapping[str, str]) -> None:
    done = subprocess.run(["apt-get", "-qq", *arguments], env=environment, check=False)
    if done.returncode:
        raise BuildError(f"apt-get {arguments[0]} ended with status {done.returncode}, see above")


def _tail(path: Path) -> Iterator[str]:
    if path.exists():
        yield from path.read_text(errors="replace").splitlines()[-10:]
