"""The bootstrap: when the virtualenv is made, and what is said where it cannot be."""

import importlib.util
import sys
from collections.abc import Callable, Iterable, Mapping
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import pytest

from builder import apt

INV = Path(__file__).parents[2] / "inv"


class BecameInvoke(BaseException):
    """Raised in the place of the program that `inv` becomes."""


@pytest.fixture
def inv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script, in a checkout of its own."""
    spec = importlib.util.spec_from_loader("inv", SourceFileLoader("inv", str(INV)))
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    spec.loader.exec_module(module)
    for name in module.NEEDED:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")

    def become(_: str, arguments: list[str]) -> None:
        raise BecameInvoke(*arguments)

    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "ENVIRONMENT", tmp_path / ".venv")
    monkeypatch.setattr(module, "STAMP", tmp_path / ".venv/.complete")
    monkeypatch.setattr(module.os, "execv", become)
    monkeypatch.setenv("PATH", "/bin")
    return module


@pytest.fixture
def made(inv: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every environment that was made."""
    found: list[str] = []

    def make() -> None:
        inv.ENVIRONMENT.mkdir(exist_ok=True)
        found.append("made")

    monkeypatch.setattr(inv, "make_environment", make)
    return found


def start(inv: ModuleType, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> list[str]:
    monkeypatch.setattr(sys, "argv", ["inv", *arguments])
    with pytest.raises(BecameInvoke) as became:
        inv.main()
    return list(became.value.args)


def test_becomes_invoke_of_the_environment(
    inv: ModuleType, made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    command = start(inv, monkeypatch, "test", "--unit")
    assert command[0] == str(inv.ENVIRONMENT / "bin/python")
    assert command[1:3] == ["-m", "invoke"]
    assert command[-2:] == ["test", "--unit"]
    assert start(inv, monkeypatch)[-1] == "--list"
    assert made == ["made"]


@pytest.mark.parametrize("name", ["pyproject.toml", "appliance/__init__.py"])
def test_made_anew_when_what_it_needs_changed(
    inv: ModuleType, made: list[str], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    start(inv, monkeypatch)
    (inv.ROOT / name).write_text("# Changed.")
    start(inv, monkeypatch)
    start(inv, monkeypatch)
    assert made == ["made", "made"]


def test_made_anew_after_an_interruption_even_if_the_change_is_taken_back(
    inv: ModuleType, made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    start(inv, monkeypatch)
    make: Callable[[], None] = inv.make_environment

    def interrupt() -> None:
        raise KeyboardInterrupt

    (inv.ROOT / "pyproject.toml").write_text("# Changed.")
    monkeypatch.setattr(inv, "make_environment", interrupt)
    with pytest.raises(KeyboardInterrupt):
        inv.main()
    monkeypatch.setattr(inv, "make_environment", make)
    (inv.ROOT / "pyproject.toml").write_text("")
    start(inv, monkeypatch)
    assert made == ["made", "made"]


@pytest.mark.usefixtures("made")
def test_programs_of_the_administrator_are_found_after_su(
    inv: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(inv, monkeypatch)
    assert inv.os.environ["PATH"] == "/bin:/usr/sbin:/sbin"


def test_an_old_python_is_told(inv: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    with pytest.raises(SystemExit, match=r"^inv needs Python 3\.11 or newer; this is "):
        inv.main()


class TestVenvModule:
    """Debian packs it apart."""

    @pytest.fixture(autouse=True)
    def missing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)

    def test_whoever_may_not_install_is_told_in_one_sentence(
        self, inv: ModuleType, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(apt, "may_install", lambda: False)
        with pytest.raises(SystemExit) as told:
            inv.main()
        assert str(told.value) == (
            "Python's venv module is missing: install it (on Debian: apt install python3-venv)."
        )
        assert not inv.STAMP.exists()

    def test_root_on_debian_gets_it_said_aloud(
        self,
        inv: ModuleType,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        installed: list[str] = []

        def install(packages: Iterable[str], _: Mapping[str, str]) -> None:
            installed.extend(packages)

        monkeypatch.setattr(apt, "may_install", lambda: True)
        monkeypatch.setattr(apt, "install", install)
        monkeypatch.setattr(inv, "run", lambda *_: inv.ENVIRONMENT.mkdir(exist_ok=True))
        start(inv, monkeypatch)
        assert installed == ["python3-venv"]
        assert "Python's venv module is missing." in capsys.readouterr().out


def test_a_step_that_fails_ends_it_without_a_stamp(
    inv: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(SystemExit, match=r"^/bin/false -m venv .* ended with status 1, see above"):
        inv.main()
    assert not inv.STAMP.exists()
