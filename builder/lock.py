"""Makes components/python.lock: every Python distribution of the image, with hashes."""

import subprocess
import sys
import tomllib
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


def write_lock(path: Path = LOCK) -> None:
    """Resolve the image's distributions anew. Raise BuildError if that fails."""
    command = [ensure_uv(), "pip", "compile", "--quiet", "--universal", "--generate-hashes"]
    command += ["--no-annotate", "--no-header", "--only-binary", ":all:", "--upgrade"]
    command += ["--python-version", _PYTHON]
    for name in _LEFT_OUT:
        command += ["--no-emit-package", name]
    requirements = "\n".join(list_requirements(load_registry(REGISTRY), PROJECT))
    result = subprocess.run(
        [*command, "-"], input=requirements, capture_output=True, text=True, check=False
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
    return [*map(_pin, registry.of_kind(PypiComponent)), *own]


def _pin(component: PypiComponent) -> str:
    extras = f"[{','.join(component.extras)}]" if component.extras else ""
    return f"{component.package}{extras}=={component.newest}"
