"""The registry: what is refused in one, and that ours agrees with what was made from it."""

import re
from pathlib import Path

import pytest

from builder.errors import BuildError
from builder.lock import LOCK, find_lock, list_requirements
from builder.registry import GoComponent, Kind, PypiComponent, ReleaseComponent, load_registry

ROOT = Path(__file__).parents[3]
OURS = load_registry(ROOT / "components/components.yaml")
GO = [
    (component, version.version)
    for component in OURS.of_kind(GoComponent)
    for version in component.versions
    if version.pinned
]

GOOD = """\
base: {image: debian:trixie-slim, suite: trixie}
components:
  client:
    kind: release
    url: https://example.org/{version}
    versions: [{version: "1.2", sha256: abc}]
    licence: MIT
    homepage: https://example.org
    source: https://example.org
"""


def write(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "components.yaml"
    file.write_text(text)
    return file


def test_load(tmp_path: Path) -> None:
    registry = load_registry(write(tmp_path, GOOD))
    (component,) = registry.components
    assert isinstance(component, ReleaseComponent)
    assert (component.name, component.newest, component.default) == ("client", "1.2", True)
    assert component.find_version("1.2").sha256 == "abc"


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("licence: MIT", "license: MIT", "client: unknown license for kind release"),
        ("kind: release", "kind: gem", "'gem' is not a valid Kind"),
        (", sha256: abc", "", "client: a version has no sha256"),
        ('[{version: "1.2", sha256: abc}]', "[]", "client: versions is empty"),
        ("    homepage: https://example.org\n", "", "missing 1 required keyword-only argument"),
        ("components:", "parts:", "'components'"),
        ("url:", "url: :", "mapping values are not allowed here"),
    ],
)
def test_refused(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    file = write(tmp_path, GOOD.replace(old, new))
    with pytest.raises(BuildError) as refused:
        load_registry(file)
    assert complaint in str(refused.value)
    assert str(file) in str(refused.value)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="No such file"):
        load_registry(tmp_path / "none.yaml")


def test_locks_have_the_versions_of_the_registry() -> None:
    for component in OURS.of_kind(PypiComponent):
        locked = re.findall(
            rf"^{component.package}==(\S+)", find_lock_text(component), re.MULTILINE
        )
        assert locked == [component.newest], component.name


def test_a_lock_of_its_own_repeats_nothing() -> None:
    owners = [component for component in OURS.of_kind(PypiComponent) if component.own_lock]
    texts = [(ROOT / LOCK).read_text(), *map(find_lock_text, owners)]
    names = [set(re.findall(r"^([a-z0-9-]+)==", text, re.MULTILINE)) for text in texts]
    assert len(names) > 2
    assert sum(map(len, names)) == len(set().union(*names))


def find_lock_text(component: PypiComponent) -> str:
    return (ROOT / find_lock(component)).read_text()


def test_lock_has_what_the_appliance_needs() -> None:
    locked = re.findall(r"^([a-z0-9-]+)==", (ROOT / LOCK).read_text(), re.MULTILINE)
    asked = [
        re.split(r"[^a-z0-9-]", requirement, maxsplit=1)[0]
        for requirement in list_requirements(OURS, ROOT / "pyproject.toml")
    ]
    assert set(asked) <= set(locked)


def test_every_locked_distribution_has_a_hash() -> None:
    text = (ROOT / LOCK).read_text()
    blocks = re.findall(r"^[a-z0-9-]+==.*(?:\n    .*)*", text, re.MULTILINE)
    assert len(blocks) > 50
    assert [block for block in blocks if "--hash=sha256:" not in block] == []


@pytest.mark.parametrize(("component", "version"), GO)
def test_every_go_version_is_pinned(component: GoComponent, version: str) -> None:
    folder = ROOT / "components/go" / component.name / version
    assert f"{component.module} {version}" in (folder / "go.mod").read_text()
    assert f"{component.module} {version} h1:" in (folder / "go.sum").read_text()


def test_no_go_version_is_left_behind() -> None:
    folders = {(folder.parent.name, folder.name) for folder in (ROOT / "components/go").glob("*/*")}
    assert folders == {(component.name, version) for component, version in GO}


def test_nothing_repeats_a_version() -> None:
    versions = [
        version.version
        for component in OURS.components
        if component.kind is not Kind.DEBIAN
        for version in component.versions
    ]
    files = [ROOT / "Dockerfile", *(ROOT / "builder").rglob("*")]
    texts = {file: file.read_text() for file in files if file.is_file() and file.suffix != ".pyc"}
    assert [
        (file, version) for file, text in texts.items() for version in versions if version in text
    ] == []


def test_no_version_of_ours_is_below_its_floor() -> None:
    def numbers(version: str) -> list[int]:
        return [int(number) for number in version.removeprefix("v").split(".")]

    judged = [
        # A module of Go counts in another way than the program that it becomes.
        (component.name, numbers(version.says or version.version) >= numbers(component.floor))
        for component in OURS.components
        for version in component.versions
        if component.floor
    ]
    assert len(judged) > 5
    assert [name for name, good in judged if not good] == []
