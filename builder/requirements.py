"""Gets what the container tests need beside Python: Node for Matrix's own client, and a browser."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from builder.errors import BuildError

JAVASCRIPT = Path("tests/container/js")
# Program and Debian's package of it.
_PROGRAMS = {"npm": "npm", "chromium": "chromium"}


def ensure(environment: Mapping[str, str]) -> None:
    """Install what is missing where that can be done; tests skip, by name, what is not there."""
    missing = [package for program, package in _PROGRAMS.items() if shutil.which(program) is None]
    if missing and os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"Installing {', '.join(missing)} with apt for the tests …", flush=True)
        quiet = {**environment, "DEBIAN_FRONTEND": "noninteractive"}
        _run("apt-get", "-qq", "update", environment=quiet)
        _run(
            "apt-get",
            "-qq",
            "install",
            "-y",
            "--no-install-recommends",
            *missing,
            environment=quiet,
        )
    if shutil.which("npm"):
        _install_javascript(environment)


def _install_javascript(environment: Mapping[str, str]) -> None:
    """Install the locked npm packages, once per lock."""
    lock = (JAVASCRIPT / "package-lock.json").read_bytes()
    stamp = JAVASCRIPT / "node_modules/.lock"
    if stamp.exists() and stamp.read_bytes() == lock:
        return
    print("Installing the JavaScript client for the tests …", flush=True)
    _run(
        "npm", "ci", "--no-fund", "--no-audit", "--prefix", str(JAVASCRIPT), environment=environment
    )
    stamp.write_bytes(lock)


def _run(*command: str, environment: Mapping[str, str]) -> None:
    status = subprocess.run(command, env=environment, check=False).returncode
    if status:
        raise BuildError(f"{command[0]} ended with status {status}, see above")
