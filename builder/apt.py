"""Installs packages on Debian and Ubuntu, as root and saying so; on other systems nothing."""

import os
import platform
import subprocess
from collections.abc import Iterable, Mapping

from builder.errors import BuildError


def may_install() -> bool:
    """Return whether this is root on a system that apt belongs to."""
    try:
        system = platform.freedesktop_os_release()
    except OSError:
        return False
    return os.geteuid() == 0 and system.get("ID") in {"debian", "ubuntu"}


def install(packages: Iterable[str], environment: Mapping[str, str]) -> None:
    """Install those of the packages that this release has. Raise BuildError if apt fails."""
    # A fresh machine has no lists, and what old ones name may be gone from the mirror.
    _run("update", environment=environment)
    found = [name for name in packages if _is_packaged(name)]
    print(f"Installing {' and '.join(found)} with apt …", flush=True)
    _run("install", "-y", "--no-install-recommends", *found, environment=environment)


def _is_packaged(name: str) -> bool:
    done = subprocess.run(["apt-cache", "show", name], capture_output=True, check=False)
    return done.returncode == 0


def _run(*arguments: str, environment: Mapping[str, str]) -> None:
    # Without a terminal of its own dpkg tells steps, not percentages.
    command = ["apt-get", "-qq", "-o", "Dpkg::Use-Pty=0", *arguments]
    environment = {"DEBIAN_FRONTEND": "noninteractive", **environment}
    status = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, check=False
    ).returncode
    if status:
        raise BuildError(f"apt-get {arguments[0]} ended with status {status}, see above")
