"""How long a build takes after an edit of ours: in a copy of the tree, under a tag of its own."""

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
_TAG = "matrix-appliance:bench"
_EDITED = Path("appliance/errors.py")
_LEFT_BEHIND = (".venv", ".git", "node_modules", ".mypy_cache", ".ruff_cache", ".pytest_cache")


def seconds() -> float:
    """Build a copy of the tree, edit one file of `appliance/`, build again and time that."""
    with tempfile.TemporaryDirectory(prefix="matrix-appliance-bench-") as folder:
        copy = Path(folder) / "tree"
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*_LEFT_BEHIND))
        _build(copy)
        with (copy / _EDITED).open("a") as stream:
            stream.write(f"# An edit at {time.time()}.\n")
        started = time.monotonic()
        _build(copy)
        return time.monotonic() - started


def _build(tree: Path) -> None:
    command = [sys.executable, "-m", "invoke", "build", "--tag", _TAG]
    subprocess.run(command, cwd=tree, check=True, stdout=subprocess.DEVNULL)
