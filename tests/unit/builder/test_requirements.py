"""What is installed for the container tests, and when."""

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from builder import apt, requirements
from builder.errors import BuildError


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every package that was installed."""
    found: list[str] = []

    def install(packages: Iterable[str], _: Mapping[str, str]) -> None:
        found.extend(packages)

    monkeypatch.setattr(apt, "install", install)
    monkeypatch.setattr(apt, "may_install", lambda: True)
    return found


def have(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Let the machine have these programs and libraries alone."""
    monkeypatch.setattr(shutil, "which", lambda name: name if name in names else None)
    monkeypatch.setattr(requirements, "find_library", lambda name: name if name in names else None)


def test_what_is_missing_is_installed(
    installed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    have(monkeypatch, "chromium")
    requirements.ensure({})
    assert installed == ["npm", "libnss3-tools", "libatomic1"]


def test_nothing_is_installed_where_that_may_not_be(
    installed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    have(monkeypatch)
    monkeypatch.setattr(apt, "may_install", lambda: False)
    requirements.ensure({})
    assert installed == []


class TestJavascript:
    """Installed once for each lock, by a program that notes that it ran."""

    @pytest.fixture
    def folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, installed: list[str]) -> Path:
        del installed
        (tmp_path / "package-lock.json").write_text("{}")
        monkeypatch.setattr(requirements, "JAVASCRIPT", tmp_path)
        have(monkeypatch, "npm", "chromium", "certutil", "atomic")
        return tmp_path

    @staticmethod
    def put_npm(folder: Path, status: int = 0) -> dict[str, str]:
        program = folder / "bin/npm"
        program.parent.mkdir(exist_ok=True)
        program.write_text(
            f"#!/bin/sh\nmkdir -p {folder}/node_modules\necho ran >> {folder}/runs\nexit {status}\n"
        )
        program.chmod(0o755)
        return {"PATH": f"{program.parent}:/usr/bin:/bin"}

    def test_once_for_each_lock(self, folder: Path) -> None:
        environment = self.put_npm(folder)
        requirements.ensure(environment)
        requirements.ensure(environment)
        assert (folder / "runs").read_text() == "ran\n"
        (folder / "package-lock.json").write_text("{ }")
        requirements.ensure(environment)
        assert (folder / "runs").read_text() == "ran\nran\n"

    def test_a_failure_is_one_and_is_tried_again(self, folder: Path) -> None:
        with pytest.raises(BuildError, match="npm ci ended with status 3"):
            requirements.ensure(self.put_npm(folder, status=3))
        requirements.ensure(self.put_npm(folder))
        assert (folder / "runs").read_text() == "ran\nran\n"
