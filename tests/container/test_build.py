"""Builds of a copy of this tree: what goes in, what stops a build, what stays cached."""

import gzip
import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import docker
import pytest
import yaml

from builder import image
from builder.engine import Engine, ensure_engine
from builder.errors import BuildError

ROOT = Path(__file__).parents[2]
CLIENT = "element-web"
VERSION = "0.0.1"
BRIDGE = "mautrix-whatsapp"
PAGE = b"<p>A page that is long enough to be worth compressing.</p>\n" * 40
FILES = {
    "index.html": PAGE,
    "bundles/0123abc/core.wasm": PAGE,
    "bundles/0123abc/core.js": b"short()",
    "bundles/0123abc/core.js.map": b"{}",
    "config.sample.json": b"{}",
}
Build = Callable[..., str]


@pytest.fixture(scope="module")
def engine() -> Engine:
    return ensure_engine(os.environ)


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of this tree, in which the test then is."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    copy = tmp_path / "tree"
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)
    # Which layers are compressed to which size is known to the tree that built them.
    if (known := ROOT / ".build/compressed.json").exists():
        (copy / ".build").mkdir()
        shutil.copy2(known, copy / ".build")
    monkeypatch.chdir(copy)
    return copy


@pytest.fixture
def build(engine: Engine, docker_client: docker.DockerClient) -> Iterator[Build]:
    """Build in the current directory under a name of its own; return the name."""
    built = []

    def run(**options: Any) -> str:
        tag = f"matrix-appliance:test-{uuid.uuid4().hex[:12]}"
        built.append(tag)
        image.build(client=engine.client, environment=engine.environment, tag=tag, **options)
        return tag

    yield run
    for tag in built:
        if docker_client.images.list(tag):
            docker_client.images.remove(tag)


@pytest.fixture
def read(docker_client: docker.DockerClient) -> Callable[[str, str], dict[str, bytes]]:
    """Return the files below a path of an image, by their names there."""

    def run(tag: str, path: str) -> dict[str, bytes]:
        container = docker_client.containers.create(tag)
        try:
            stream, _ = container.get_archive(path)
            content = io.BytesIO(b"".join(stream))
        finally:
            container.remove(v=True)
        with tarfile.open(fileobj=content) as archive:
            return {
                member.name.partition("/")[2] or member.name: file.read()
                for member in archive.getmembers()
                if (file := archive.extractfile(member))
            }

    return run


def write_archive(path: Path) -> str:
    """Write a stand-in for the client's release; return its checksum."""
    path.parent.mkdir(exist_ok=True)
    with tarfile.open(path, "w:gz") as archive:
        for name, content in FILES.items():
            member = tarfile.TarInfo(f"element-v{VERSION}/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_registry(tree: Path, **changes: dict[str, Any]) -> Path:
    """Write the registry with some components changed; return the file."""
    document = yaml.safe_load((tree / image.REGISTRY).read_text())
    for name, change in changes.items():
        document["components"][name.replace("_", "-")] |= change
    file = tree / "other.yaml"
    file.write_text(yaml.safe_dump(document, sort_keys=False))
    return file


def pin_client(tree: Path, checksum: str) -> Path:
    # Port 9 of loopback: nothing listens there, so only the owner's file is left.
    return write_registry(
        tree,
        element_web={
            "url": "http://127.0.0.1:9/{version}",
            "versions": [{"version": VERSION, "sha256": checksum}],
        },
    )


def test_client_from_the_owners_archive(tree: Path, build: Build, read: Any) -> None:
    checksum = write_archive(tree / f"artifacts/{CLIENT}-{VERSION}.tar.gz")
    tag = build(components_file=pin_client(tree, checksum), components=[CLIENT], strict=True)
    files = read(tag, "/usr/share/element")
    assert files.keys() == {
        "index.html.gz",
        "bundles/0123abc/core.wasm.gz",
        "bundles/0123abc/core.js",
    }
    assert gzip.decompress(files["index.html.gz"]) == PAGE
    (document,) = read(tag, "/usr/share/appliance/components.json").values()
    (row,) = [row for row in json.loads(document) if row["name"] == CLIENT]
    assert (row["status"], row["version"]) == ("artifact", VERSION)
    assert row["size_bytes"] == sum(map(len, files.values()))


def test_wrong_archive_stops_the_build(
    tree: Path, build: Build, docker_client: docker.DockerClient
) -> None:
    write_archive(tree / f"artifacts/{CLIENT}-{VERSION}.tar.gz")
    registry = pin_client(tree, hashlib.sha256(b"another").hexdigest())
    with pytest.raises(BuildError, match="is not the element-web that is pinned: SHA-256"):
        build(components_file=registry)


def test_missing_client_is_told_in_the_image_and_the_table(
    tree: Path, build: Build, read: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    registry = pin_client(tree, hashlib.sha256(b"").hexdigest())
    tag = build(components_file=registry)
    (document,) = read(tag, "/usr/share/appliance/components.json").values()
    (row,) = [row for row in json.loads(document) if row["name"] == CLIENT]
    assert (row["status"], row["version"]) == ("missing", None)
    assert row["reason"].startswith("127.0.0.1 cannot be reached")
    (line,) = [line for line in capfd.readouterr().out.splitlines() if line.startswith(CLIENT)]
    assert "MISSING: 127.0.0.1 cannot be reached" in line


def test_strict_build_builds_nothing_without_it(
    tree: Path, build: Build, capfd: pytest.CaptureFixture[str]
) -> None:
    registry = pin_client(tree, hashlib.sha256(b"").hexdigest())
    with pytest.raises(BuildError, match="nothing was built:\n  element-web cannot be had"):
        build(components_file=registry, components=[CLIENT], strict=True)
    assert "Building" not in capfd.readouterr().out


def test_edit_of_ours_changes_the_last_layer_only(
    tree: Path, build: Build, docker_client: docker.DockerClient
) -> None:
    def layers() -> list[str]:
        found: list[str] = docker_client.images.get(build()).attrs["RootFS"]["Layers"]
        return found

    before = layers()
    for name in ("appliance/errors.py", "templates/run/nginx/nginx.conf.j2"):
        with (tree / name).open("a") as file:
            file.write("# An edit.\n")
    after = layers()
    assert after[:-1] == before[:-1]
    assert after[-1] != before[-1]


def test_image_that_lacks_something_is_none(
    tree: Path, build: Build, capfd: pytest.CaptureFixture[str]
) -> None:
    (tree / "rootfs/usr/share/appliance/api/stranger.json").unlink()
    with pytest.raises(BuildError, match="docker build ended with status"):
        build()
    assert "the appliance: no /usr/share/appliance/api/stranger.json" in capfd.readouterr().err


@pytest.mark.slow
class TestGo:
    """The stage for Go needs the toolchain, and for a bridge from source a minute and a half."""

    def test_bridge_from_source(
        self, tree: Path, build: Build, docker_client: docker.DockerClient, read: Any
    ) -> None:
        tag = build(components=[BRIDGE])
        said = docker_client.containers.run(tag, ["--version"], entrypoint=BRIDGE, remove=True)
        (document,) = read(tag, "/usr/share/appliance/components.json").values()
        (row,) = [row for row in json.loads(document) if row["name"] == BRIDGE]
        component = next(c for c in image.load_registry().components if c.name == BRIDGE)
        assert component.find_version(row["version"]).says in said.decode().split()
        assert (
            "go.mau.fi/util"
            in read(tag, f"/usr/share/appliance/licences/{BRIDGE}.modules.txt")
            .popitem()[1]
            .decode()
        )

    def test_program_of_the_owner(self, tree: Path, build: Build, read: Any) -> None:
        self.write_program(tree, "v26.08")
        tag = build(components=[BRIDGE], release=False)
        (document,) = read(tag, "/usr/share/appliance/components.json").values()
        (row,) = [row for row in json.loads(document) if row["name"] == BRIDGE]
        assert (row["status"], row["version"]) == ("artifact", "v0.2608.0")
        (example,) = read(tag, f"/usr/share/appliance/bridges/{BRIDGE}.yaml").values()
        assert example == b"network: {}\n"

    def test_program_of_another_version_stops_the_build(
        self, tree: Path, build: Build, capfd: pytest.CaptureFixture[str]
    ) -> None:
        self.write_program(tree, "v26.07")
        with pytest.raises(BuildError, match="docker build ended with status"):
            build(components=[BRIDGE])
        assert f"{BRIDGE} --version should say v26.08, and says:" in capfd.readouterr().err

    @staticmethod
    def write_program(tree: Path, says: str) -> None:
        program = tree / f"artifacts/{BRIDGE}-v0.2608.0"
        program.parent.mkdir()
        # As a bridge does: it tells its version, and writes an example of its configuration.
        program.write_text(
            f'#!/bin/sh\n[ "$1" != -e ] || echo "network: {{}}" > "$3"\necho {BRIDGE} {says}\n'
        )
