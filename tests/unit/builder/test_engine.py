"""Which client is chosen: small scripts answer as the clients of each kind do."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from builder import apt, engine
from builder.docker import Docker
from builder.engine import ensure_engine, find_engine, find_host_network_gap
from builder.errors import BuildError

DEBIAN_12 = {"version": "20.10.24+dfsg1", "buildx": 1, "info": 0}
NEWER_WITHOUT_BUILDX = {"version": "28.2.2", "buildx": 1, "info": 0}
NEWER = {"version": "26.1.5", "buildx": 0, "info": 0}
NO_ENGINE = {"version": "28.2.2", "buildx": 0, "info": 1}


def put_client(folder: Path, answers: dict[str, object], info: str = "{}") -> Path:
    folder.mkdir(parents=True)
    client = folder / "docker"
    client.write_text(
        f"""#!/bin/sh
case "$1" in
buildx) exit {answers["buildx"]} ;;
version) echo "{answers["version"]}" ;;
info) echo '{info}'; exit {answers["info"]} ;;
esac
"""
    )
    client.chmod(0o755)
    return client


@pytest.fixture(autouse=True)
def nobody_may_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apt, "may_install", lambda: False)
    # Not the machine's own, which may stand in front.
    monkeypatch.setattr(engine, "_CLIENT_FOLDERS", ())


def environment(*clients: Path) -> dict[str, str]:
    folders = [str(client.parent) for client in clients]
    return {"PATH": os.pathsep.join(folders)}


def test_debian_12s_own_client_builds(tmp_path: Path) -> None:
    client = put_client(tmp_path / "a", DEBIAN_12)
    found = ensure_engine(environment(client))
    assert found.client == (str(client),)
    assert found.environment["DOCKER_BUILDKIT"] == "1"


def test_a_newer_client_without_buildx_is_passed_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = put_client(tmp_path / "a", NEWER_WITHOUT_BUILDX)
    second = put_client(tmp_path / "b", DEBIAN_12)
    assert ensure_engine(environment(first, second)).client == (str(second),)
    assert f"Using {second}: {first} has no buildx plugin" in capsys.readouterr().out


def test_a_newer_client_with_buildx_builds(tmp_path: Path) -> None:
    client = put_client(tmp_path / "a", NEWER)
    assert ensure_engine(environment(client)).client == (str(client),)


def test_no_client_that_builds_says_what_to_install(tmp_path: Path) -> None:
    client = put_client(tmp_path / "a", NEWER_WITHOUT_BUILDX)
    with pytest.raises(BuildError, match="install the buildx plugin"):
        ensure_engine(environment(client))


def test_no_engine_says_what_to_install(tmp_path: Path) -> None:
    client = put_client(tmp_path / "a", NO_ENGINE)
    with pytest.raises(BuildError, match="no Docker engine answers: install Docker"):
        ensure_engine(environment(client))


def test_an_address_that_does_not_answer_is_named_and_nothing_installed(tmp_path: Path) -> None:
    client = put_client(tmp_path / "a", NO_ENGINE)
    with pytest.raises(BuildError, match="DOCKER_HOST, which is tcp://example"):
        ensure_engine({**environment(client), "DOCKER_HOST": "tcp://example"})


def test_what_does_not_build_takes_the_engine_that_answers(tmp_path: Path) -> None:
    first = put_client(tmp_path / "a", NO_ENGINE)
    second = put_client(tmp_path / "b", NEWER_WITHOUT_BUILDX)
    assert find_engine(environment(first, second)).client == (str(second),)
    with pytest.raises(BuildError, match="no Docker engine answers: install Docker"):
        find_engine(environment(first))


def test_root_on_debian_gets_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that cannot build is joined by Debian's own."""
    first = put_client(tmp_path / "a", NEWER_WITHOUT_BUILDX)

    def install(packages: Iterable[str], _: Mapping[str, str]) -> None:
        assert "docker-buildx" in packages
        put_client(tmp_path / "b", DEBIAN_12)

    monkeypatch.setattr(apt, "may_install", lambda: True)
    monkeypatch.setattr(apt, "install", install)
    found = ensure_engine({"PATH": f"{first.parent}:{tmp_path / 'b'}"})
    assert found.client == (str(tmp_path / "b/docker"),)


@pytest.mark.parametrize(
    ("version", "info", "gap"),
    [
        ("20.10.24", '{"SecurityOptions": ["name=seccomp"]}', None),
        ("28.0.0", '{"SecurityOptions": ["name=rootless"]}', "rootless Docker"),
        ("28.0.0", '{"OperatingSystem": "Docker Desktop"}', "Docker Desktop"),
        ("Client: Podman Engine 5.4", "{}", "Podman"),
    ],
)
def test_engines_with_a_network_of_their_own_are_told(
    tmp_path: Path, version: str, info: str, gap: str | None
) -> None:
    client = put_client(tmp_path / "a", {**DEBIAN_12, "version": version}, info)
    found = find_host_network_gap(Docker((str(client),), os.environ))
    assert found is None if gap is None else found is not None and gap in found
