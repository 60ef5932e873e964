"""What `pip install 'matrix-appliance[testing]'` brings, and what the class needs of it."""

import ast
import sys
from importlib.metadata import entry_points, requires
from pathlib import Path

import appliance.testing

FOLDER = Path(appliance.testing.__file__).parent
# docker is what testcontainers itself is made of; pytest is there where the plugin is loaded.
INSTALLED = {"testcontainers", "docker", "pytest"}


def test_nothing_but_testcontainers_is_pulled_in() -> None:
    wanted = [line.partition(";") for line in requires("matrix-appliance") or []]
    for_tests = [name for name, _, marker in wanted if 'extra == "testing"' in marker]
    assert [name.partition(">")[0] for name in for_tests] == ["testcontainers"]
    assert [name for name, _, marker in wanted if "extra" not in marker] == []


def test_nothing_else_is_imported() -> None:
    imported = set()
    for file in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add(node.module or "")
    others = {name for name in imported if name.partition(".")[0] not in sys.stdlib_module_names}
    ours = {name for name in others if name.startswith("appliance")}
    assert {name for name in ours if not name.startswith("appliance.testing")} == set()
    assert {name.partition(".")[0] for name in others - ours} <= INSTALLED


def test_pytest_finds_the_fixtures() -> None:
    (found,) = (one for one in entry_points(group="pytest11") if one.name == "matrix_appliance")
    assert hasattr(found.load(), "matrix_appliance")


def test_types_are_told() -> None:
    assert (FOLDER.parent / "py.typed").exists()
