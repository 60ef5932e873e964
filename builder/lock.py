"""Makes components/*.lock: every Python distribution of the image, with hashes."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

from builder.errors import BuildError
from builder.registry import REGISTRY, PypiComponent, Registry, load_registry

LOCK = Path("components/python.lock")
PROJECT = Path("pyproject.toml")
_UV = Path(".build/uv")
# Debian's Python in the base.
_PYTHON = "3.13"
# What Synapse names as needed, and only its own build uses.
_LEFT_OUT = ("setuptools", "setuptools-rust")
# What jaraco-text names as needed, for two commands that nobody runs here.
_LEFT_OUT_ELSEWHERE = (
    *("annotated-doc", "colorama", "markdown-it-py", "mdurl", "pygments", "rich", "shellingham"),
    *("typer", "typer-slim"),
)


def write_locks(path: Path = LOCK) -> None:
    """Resolve the image's distributions anew. Raise BuildError if that fails."""
    registry = load_registry(REGISTRY)
    _write(path, list_requirements(registry, PROJECT), ["--upgrade"], _LEFT_OUT)
    taken = re.findall(r"^([a-z0-9-]+)==", path.read_text(), re.MULTILINE)
    for component in registry.of_kind(PypiComponent):
        if component.own_lock:
            constrained = ["--constraint", str(path)]
            _write(
                find_lock(component), [_pin(component)], constrained, (*_LEFT_OUT_ELSEWHERE, *taken)
            )


def find_lock(component: PypiComponent) -> Path:
    """Return the lock that has a component."""
    return LOCK.with_name(f"{component.name}.lock") if component.own_lock else LOCK


def _write(
    path: Path, requirements: Sequence[str], options: Sequence[str], left_out: Sequence[str]
) -> None:
    command = [ensure_uv(), "pip", "compile", "--quiet", "--universal", "--generate-hashes"]
    command += ["--no-annotate", "--no-header", "--only-binary", ":all:", *options]
    command += ["--python-version", _PYTHON]
    for name in left_out:
        command += ["--no-emit-package", name]
    result = subprocess.run(
        [*command, "-"], input="\n".join(requirements), capture_output=True, text=True, check=False
    )
    if result.returncode:
        raise BuildError(f"uv found no versions that fit together:\n{result.stderr.strip()}")
    head = "# Made by `inv lock` from components.yaml and pyproject.toml, do not edit.\n"
    path.write_text(head + result.stdout)


def ensure_uv() -> str:
    """Return the program, which nothing else of a checkout needs. Raise BuildError without it."""
    program = _UV / "bin/uv"
    if not program.exists():
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(_UV), "uv"]
        if subprocess.run(command, check=False).returncode:
            raise BuildError("uv cannot be installed, see above")
    return str(program)


def list_requirements(registry: Registry, project: Path) -> list[str]:
    """Return what is asked for: the components, pinned, and what the appliance itself needs."""
    document = tomllib.loads(project.read_text())
    own: list[str] = document["project"]["optional-dependencies"]["image"]
    shared = [c for c in registry.of_kind(PypiComponent) if not c.own_lock]
    return [*map(_pin, shared), *own]


def _pin(component: PypiComponent) -> str:
    extras = f"[{','.join(component.extras)}]" if component.extras else ""
    return f"{component.package}{extras}=={component.newest}"
