"""Nix in a container: evaluates our flake against a stand-in for nixpkgs, and builds nothing."""

import json
import shutil
from pathlib import Path
from typing import Any

from docker.models.containers import Container

from tests.container.debian import build_image

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
# What the flake reads of a checkout.
_READ = ("flake.nix", "flake.lock", "nix", "components", "rootfs", "templates", "appliance")


def build() -> str:
    """Return the image with Nix."""
    return build_image(HERE, "matrix-appliance-nix")


def copy_sources(folder: Path) -> None:
    """Copy the flake, what it reads, and the stand-in."""
    ignore = shutil.ignore_patterns("__pycache__")
    for name in (*_READ, "builder/stages"):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / "flake" / name, ignore=ignore)
        else:
            (folder / "flake").mkdir(exist_ok=True)
            shutil.copy2(ROOT / name, folder / "flake" / name)
    shutil.copytree(HERE / "stub", folder / "stub")


class Nix:
    """Commands of Nix in a container that has some folder as /work."""

    def __init__(self, container: Container) -> None:
        self._container = container

    def run(self, *command: str) -> str:
        """Return what a command printed. Raise RuntimeError with both streams if it fails."""
        status, streams = self._container.exec_run(["nix", *command], demux=True)
        out, err = ((stream or b"").decode() for stream in streams)
        if status:
            raise RuntimeError(f"nix {command[0]} ended with status {status}\n{out}{err}")
        return out

    def on_flake(self, *command: str, nixpkgs: str = "/work/stub") -> str:
        """Run a command that takes a flake, with a nixpkgs in the place of the locked one."""
        override = ("--override-input", "nixpkgs", f"path:{nixpkgs}", "--no-write-lock-file")
        return self.run(*command, *override)

    def evaluate(self, output: str, apply: str, nixpkgs: str = "/work/stub") -> Any:
        """Return what a function makes of an output of the flake."""
        command = ("eval", "--json", f"path:/work/flake#{output}", "--apply", apply)
        return json.loads(self.on_flake(*command, nixpkgs=nixpkgs))
