"""The list of what an image holds: a tree that has it all, and each way to lack something."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.selfcheck import COMPONENTS, USERS, find_gaps
from builder.registry import load_registry

ROOT = Path(__file__).parents[2]
SEARCH_PATH = "/usr/sbin:/usr/bin"
SYSUSERS = "usr/lib/sysusers.d/matrix-appliance.conf"
# What this Python need not have: the image's own has them.
WITHOUT_MODULES = [contents for contents in COMPONENTS if not contents.modules]


def write(root: Path, path: str, text: str = "") -> Path:
    file = root / path.lstrip("/")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def write_components(root: Path, names: list[str]) -> None:
    rows = [{"name": name, "version": "1", "status": "built", "reason": ""} for name in names]
    write(root, "usr/share/appliance/components.json", json.dumps(rows))


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A tree with all that is no Python module."""
    declared = (ROOT / "rootfs" / SYSUSERS).read_text()
    users = [line.split() for line in declared.splitlines() if line.startswith("u ")]
    write(tmp_path, SYSUSERS, declared)
    passwd = [f"{user[1]}:x:{user[2]}:{user[2]}::{user[-1]}:/bin/sh\n" for user in users]
    write(tmp_path, "etc/passwd", "".join(passwd))
    write(tmp_path, "etc/group", "".join(f"{user[1]}:x:{user[2]}:\n" for user in users))
    for directory in ("data", "run", "tmp"):
        (tmp_path / directory).mkdir()
    for name in ("templates", "compiled-templates", "api/stranger.json", "landing/style.css"):
        write(tmp_path, f"usr/share/appliance/{name}")
    write(tmp_path, "usr/share/appliance/licences/SOURCES")
    programs = ["appliance", "appliance-entrypoint"]
    for contents in WITHOUT_MODULES:
        programs += contents.programs
        for path in contents.paths:
            write(tmp_path, path)
    for program in programs:
        write(tmp_path, f"usr/bin/{program}").chmod(0o755)
    write_components(tmp_path, [contents.component for contents in WITHOUT_MODULES])
    return tmp_path


def gaps(root: Path) -> set[str]:
    found = find_gaps(root, SEARCH_PATH)
    return {gap for gap in found if "has no such component in the image" not in gap}


def remove(path: str) -> Callable[[Path], None]:
    return lambda root: (root / path).unlink()


def edit(path: str, old: str, new: str) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        text = (root / path).read_text()
        assert old in text
        (root / path).write_text(text.replace(old, new))

    return change


def test_whole(image: Path) -> None:
    assert gaps(image) == set()


@pytest.mark.parametrize(
    ("change", "gap"),
    [
        (remove("usr/bin/turnserver"), "coturn: no program turnserver"),
        (lambda root: (root / "usr/bin/nginx").chmod(0o644), "nginx: no program nginx"),
        (remove("etc/nginx/mime.types"), "nginx: no /etc/nginx/mime.types"),
        (
            remove("usr/share/appliance/bridges/mautrix-slack.yaml"),
            "mautrix-slack: no /usr/share/appliance/bridges/mautrix-slack.yaml",
        ),
        (remove("usr/bin/appliance"), "the appliance: no program appliance"),
        (
            edit("etc/passwd", "synapse:x:902:902", "synapse:x:990:990"),
            "user synapse: must be 902 with the home /data/synapse, and is "
            "('990', '990', '/data/synapse')",
        ),
        (edit("etc/group", "nginx:x:903", "nginx:x:33"), "group nginx: must be 903, and is 33"),
        (edit(SYSUSERS, "u zulip ", "# zulip "), f"user zulip: not in /{SYSUSERS}"),
    ],
)
def test_gap(image: Path, change: Callable[[Path], None], gap: str) -> None:
    change(image)
    assert gaps(image) == {gap}


def test_component_that_must_be_there(image: Path) -> None:
    write_components(image, ["debian", "python"])
    assert (
        "nginx: /usr/share/appliance/components.json has no such component in the image"
        in find_gaps(image, SEARCH_PATH)
    )
    assert not [gap for gap in find_gaps(image, SEARCH_PATH) if gap.startswith("livekit")]


def test_component_that_nobody_knows(image: Path) -> None:
    write_components(image, ["debian", "something"])
    assert [gap for gap in gaps(image) if gap.startswith("something: ")]


def test_module(image: Path) -> None:
    write_components(image, ["heisenbridge"])
    assert gaps(image) <= {"heisenbridge: no Python module heisenbridge"}


def test_every_component_of_the_registry_is_in_the_list() -> None:
    registry = {c.name for c in load_registry(ROOT / "components/components.yaml").components}
    known = {contents.component for contents in COMPONENTS}
    assert registry - known == {"cloudflare", "jemalloc"}
    assert known <= registry


def test_every_user_is_in_the_list() -> None:
    lines = (ROOT / "rootfs" / SYSUSERS).read_text().splitlines()
    assert set(USERS) == {line.split()[1] for line in lines if line.startswith("u ")}
