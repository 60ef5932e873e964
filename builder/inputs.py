"""Tells whether the image is that of this tree: a digest of all that goes into a build."""

import hashlib
import json
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from builder.errors import BuildError

BUILT = Path(".build/built.json")
_INPUTS = (
    "Dockerfile",
    "appliance",
    "builder",
    "components",
    "pyproject.toml",
    "rootfs",
    "templates",
)
_ARTIFACTS = Path("artifacts")


def digest_inputs(options: Sequence[str] = ()) -> str:
    """Return a digest of every file a build reads, tracked or not, and of the build's options.

    Raise BuildError outside a git checkout.
    """
    digest = hashlib.sha256("\0".join(options).encode())
    for path in _list_files():
        digest.update(f"{path}\0{path.stat().st_mode}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def is_built(digest: str, image_id: str) -> bool:
    """Return whether this image came from a build with this digest."""
    return BUILT.exists() and json.loads(BUILT.read_text()) == [digest, image_id]


def remember(digest: str, image_id: str) -> None:
    """Write down which image came from which inputs."""
    BUILT.parent.mkdir(exist_ok=True)
    BUILT.write_text(json.dumps([digest, image_id]))


def _list_files() -> Iterator[Path]:
    command = [
        "git",
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
        "--",
        *_INPUTS,
    ]
    listed = subprocess.run(command, capture_output=True, text=True, check=False)
    if listed.returncode:
        raise BuildError(f"git ls-files: {listed.stderr.strip()}")
    paths = {Path(name) for name in listed.stdout.split("\0") if name}
    if _ARTIFACTS.is_dir():
        paths.update(path for path in _ARTIFACTS.rglob("*") if path.is_file())
    yield from sorted(path for path in paths if path.is_file())
