"""Gets what the container tests need beside Python: Node, a browser, what edits its trust."""

import shutil
import subprocess
from collections.abc import Mapping
from ctypes.util import find_library
from pathlib import Path

from builder import apt
from builder.errors import BuildError

JAVASCRIPT = Path("tests/container/js")
# Program and Debian's package of it.
_PROGRAMS = {"npm": "npm", "chromium": "chromium", "certutil": "libnss3-tools"}
# What Playwright's own Node is linked with, beyond what every system has.
_LIBRARIES = {"atomic": "libatomic1"}


def ensure(environment: Mapping[str, str]) -> None:
    """Install what is missing where that can be done; tests skip, by name, what is not there."""
    missing = [package for program, package in _PROGRAMS.items() if shutil.which(program) is None]
    missing += [package for name, package in _LIBRARIES.items() if find_library(name) is None]
    if missing and apt.may_install():
        print("The container tests use more than is here.", flush=True)
        apt.install(missing, environment)
    if shutil.which("npm"):
        _install_javascript(environment)


def _install_javascript(environment: Mapping[str, str]) -> None:
    """Install the locked npm packages, once per lock."""
    lock = (JAVASCRIPT / "package-lock.json").read_bytes()
    stamp = JAVASCRIPT / "node_modules/.lock"
    if stamp.exists() and stamp.read_bytes() == lock:
        return
    print("Installing the JavaScript client for the tests …", flush=True)
    command = ["npm", "ci", "--no-fund", "--no-audit", "--prefix", str(JAVASCRIPT)]
    status = subprocess.run(command, env=environment, check=False).returncode
    if status:
        raise BuildError(f"npm ci ended with status {status}, see above")
    stamp.write_bytes(lock)
