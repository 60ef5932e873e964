"""Which version is built: the first that its source serves, and never one by accident."""

import hashlib
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from builder.errors import BuildError
from builder.registry import (
    DebianComponent,
    GoComponent,
    PypiComponent,
    ReleaseComponent,
    Version,
)
from builder.sources import Sources, Status, list_go_proxies

from .source_server import SourceServer

ARCHIVE = b"an archive"
NEWER = "/example.org/!bridge/cmd/@v/v2.zip"
OLDER = "/example.org/!bridge/cmd/@v/v1.zip"


def bridge(*versions: str) -> GoComponent:
    return GoComponent(
        name="bridge",
        licence="AGPL-3.0-or-later",
        homepage="",
        source="",
        module="example.org/Bridge/cmd",
        package="example.org/Bridge/cmd",
        version_variable="main.Tag",
        versions=tuple(map(Version, versions)),
    )


def client(address: str, *versions: str) -> ReleaseComponent:
    checksum = hashlib.sha256(ARCHIVE).hexdigest()
    return ReleaseComponent(
        name="client",
        licence="",
        homepage="",
        source="",
        url=f"{address}/v{{version}}/client-{{version}}.tar.gz",
        versions=tuple(Version(version, checksum) for version in versions),
    )


def closed_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


class TestGo:
    def test_newest_served(self, sources: Sources, source_server: SourceServer) -> None:
        source_server.serve(NEWER, b"")
        selection = sources.select(bridge("v2", "v1"))
        assert (selection.status, selection.version) == (Status.BUILT, "v2")
        assert source_server.asked == [NEWER]

    @pytest.mark.parametrize("status", [403, 404, 410])
    def test_refusal_moves_on(
        self, sources: Sources, source_server: SourceServer, status: int
    ) -> None:
        source_server.refuse(NEWER, status)
        source_server.serve(OLDER, b"")
        selection = sources.select(bridge("v2", "v1"))
        assert (selection.status, selection.version) == (Status.OLDER, "v1")
        assert selection.reason.startswith(f"v2: its source answers {status} ")

    def test_every_version_refused(self, sources: Sources, source_server: SourceServer) -> None:
        selection = sources.select(bridge("v2", "v1"))
        assert (selection.status, selection.version) == (Status.MISSING, None)
        assert source_server.asked == [NEWER, OLDER]

    @pytest.mark.parametrize("status", [429, 500, 503])
    def test_fault_never_gives_an_older_one(
        self, sources: Sources, source_server: SourceServer, status: int
    ) -> None:
        source_server.refuse(NEWER, status)
        source_server.serve(OLDER, b"")
        with pytest.raises(BuildError, match=rf"v2\.zip answers {status} "):
            sources.select(bridge("v2", "v1"))
        assert source_server.asked == [NEWER]

    def test_unreachable_source_never_gives_an_older_one(self, tmp_path: Path) -> None:
        sources = Sources(closed_port(), tmp_path, tmp_path, tmp_path)
        selection = sources.select(bridge("v2", "v1"))
        assert selection.status is Status.MISSING
        assert selection.reason.startswith("127.0.0.1 cannot be reached: ")
        assert "; " not in selection.reason  # asked once

    def test_what_was_served_before_is_built_without_a_network(
        self, sources: Sources, source_server: SourceServer, tmp_path: Path
    ) -> None:
        source_server.serve(NEWER, b"")
        sources.select(bridge("v2", "v1"))
        alone = Sources(closed_port(), tmp_path, tmp_path, tmp_path / "served")
        assert alone.select(bridge("v2", "v1")).version == "v2"

    def test_a_refused_fork_refuses_its_version(
        self, sources: Sources, source_server: SourceServer, tmp_path: Path
    ) -> None:
        fork = "/example.org/fork/@v/v5.zip"
        pins = tmp_path / "pins/bridge/v2/go.mod"
        pins.parent.mkdir(parents=True)
        pins.write_text("replace (\n\texample.org/a => example.org/fork v5\n)\n")
        for path in (NEWER, OLDER):
            source_server.serve(path, b"")
        source_server.refuse(fork, 403)
        selection = sources.select(bridge("v2", "v1"))
        assert (selection.status, selection.version) == (Status.OLDER, "v1")
        assert selection.reason.startswith("v2: needs example.org/fork, and its source answers 403")
        assert source_server.asked == [NEWER, fork, OLDER]
        source_server.serve(fork, b"")
        assert sources.select(bridge("v2", "v1")).version == "v2"

    def test_a_fork_of_a_version_without_pins_is_asked_for(
        self, sources: Sources, source_server: SourceServer
    ) -> None:
        source_server.serve(NEWER, b"")
        forked = replace(bridge("v2"), replaces=("example.org/a=example.org/fork@v5",))
        assert sources.select(forked).status is Status.MISSING
        assert source_server.asked == [NEWER, "/example.org/fork/@v/v5.zip"]

    def test_next_proxy_is_asked(
        self, sources: Sources, source_server: SourceServer, tmp_path: Path
    ) -> None:
        source_server.serve(NEWER, b"")
        goproxy = f"{source_server.address}/refuses,{source_server.address}/,direct"
        selection = Sources(goproxy, tmp_path, tmp_path, tmp_path).select(bridge("v2", "v1"))
        assert selection.version == "v2"
        assert source_server.asked == [f"/refuses{NEWER}", NEWER]

    def test_owners_program(self, source_server: SourceServer, tmp_path: Path) -> None:
        (tmp_path / "bridge-v1").write_bytes(b"a program")
        sources = Sources(source_server.address, tmp_path, tmp_path / "sources", tmp_path)
        selection = sources.select(bridge("v2", "v1"))
        assert (selection.status, selection.version) == (Status.ARTIFACT, "v1")
        assert selection.archive == "bridge-v1"
        assert (tmp_path / "sources" / "bridge-v1").read_bytes() == b"a program"


@pytest.mark.parametrize(
    ("goproxy", "proxies"),
    [
        ("https://one.example,direct", ["https://one.example"]),
        (
            "https://one.example/|https://two.example",
            ["https://one.example", "https://two.example"],
        ),
        ("direct", []),
        ("off", []),
    ],
)
def test_list_go_proxies(goproxy: str, proxies: list[str]) -> None:
    assert list_go_proxies(goproxy) == proxies


class TestRelease:
    def test_fetched_and_checked(
        self, sources: Sources, source_server: SourceServer, tmp_path: Path
    ) -> None:
        source_server.serve("/v1.2/client-1.2.tar.gz", ARCHIVE)
        selection = sources.select(client(source_server.address, "1.2"))
        assert (selection.status, selection.archive) == (Status.BUILT, "client-1.2.tar.gz")
        assert (tmp_path / "sources/client-1.2.tar.gz").read_bytes() == ARCHIVE

    def test_fetched_once(self, sources: Sources, source_server: SourceServer) -> None:
        source_server.serve("/v1.2/client-1.2.tar.gz", ARCHIVE)
        for _ in range(2):
            sources.select(client(source_server.address, "1.2"))
        assert len(source_server.asked) == 1

    def test_wrong_sum_is_never_used(
        self, sources: Sources, source_server: SourceServer, tmp_path: Path
    ) -> None:
        source_server.serve("/v1.2/client-1.2.tar.gz", b"something else")
        source_server.serve("/v1.1/client-1.1.tar.gz", ARCHIVE)
        with pytest.raises(BuildError, match="is not what is pinned: SHA-256 "):
            sources.select(client(source_server.address, "1.2", "1.1"))
        assert list((tmp_path / "sources").iterdir()) == []

    def test_damaged_copy_is_fetched_again(
        self, sources: Sources, source_server: SourceServer, tmp_path: Path
    ) -> None:
        source_server.serve("/v1.2/client-1.2.tar.gz", ARCHIVE)
        copy = tmp_path / "sources/client-1.2.tar.gz"
        copy.parent.mkdir()
        copy.write_bytes(b"half of it")
        sources.select(client(source_server.address, "1.2"))
        assert copy.read_bytes() == ARCHIVE

    def test_unreachable_source_leaves_it_out(self, sources: Sources) -> None:
        selection = sources.select(client(closed_port(), "1.2"))
        assert selection.status is Status.MISSING
        assert "cannot be reached" in selection.reason

    def test_owners_archive_needs_no_source(self, sources: Sources, tmp_path: Path) -> None:
        artifacts = tmp_path / "artifacts"
        artifacts.mkdir()
        (artifacts / "client-1.2.tar.gz").write_bytes(ARCHIVE)
        selection = sources.select(client(closed_port(), "1.2"))
        assert (selection.status, selection.archive) == (Status.ARTIFACT, "client-1.2.tar.gz")

    def test_owners_archive_with_a_wrong_sum(
        self, sources: Sources, source_server: SourceServer, tmp_path: Path
    ) -> None:
        source_server.serve("/v1.2/client-1.2.tar.gz", ARCHIVE)
        artifacts = tmp_path / "artifacts"
        artifacts.mkdir()
        (artifacts / "client-1.2.tar.gz").write_bytes(b"something else")
        with pytest.raises(BuildError, match=r"client-1\.2\.tar\.gz is not the client that is pin"):
            sources.select(client(source_server.address, "1.2"))

    def test_older_archive_of_the_owner_after_an_unreachable_source(
        self, sources: Sources, tmp_path: Path
    ) -> None:
        artifacts = tmp_path / "artifacts"
        artifacts.mkdir()
        (artifacts / "client-1.1.tar.gz").write_bytes(ARCHIVE)
        selection = sources.select(client(closed_port(), "1.2", "1.1"))
        assert (selection.status, selection.version) == (Status.ARTIFACT, "1.1")


def test_other_kinds_are_not_asked_for(sources: Sources, source_server: SourceServer) -> None:
    about = {"name": "one", "licence": "", "homepage": "", "source": ""}
    debian = DebianComponent(**about, packages=("one",))
    pypi = PypiComponent(**about, package="one", versions=(Version("1.0"),))
    assert [sources.select(one).version for one in (debian, pypi)] == [None, "1.0"]
    assert source_server.asked == []
