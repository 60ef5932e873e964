"""Which base is built on: the pinned image, or the one made here."""

import shutil

import pytest

from builder import apt, base
from builder.base import Mirror, ensure_base, find_mirror
from builder.docker import Docker
from builder.errors import BuildError
from builder.registry import Base

PINNED = Base("debian:trixie-slim@sha256:0000", "trixie")
OWN = "matrix-appliance-base:trixie"
MIRROR = Mirror("http://mirror.example/debian", "http://mirror.example/debian-security")


class Engine(Docker):
    """An engine that has some images and reaches a registry or not."""

    def __init__(self, *images: str, registry: bool) -> None:
        super().__init__(["unused"])
        self.__dict__["images"] = set(images)
        self.__dict__["registry"] = registry

    def succeeds(self, *arguments: str) -> bool:
        return arguments[-1] in self.__dict__["images"]

    def read(self, *arguments: str) -> str:
        assert arguments[0] == "pull"
        if not self.__dict__["registry"]:
            raise BuildError("docker pull: no such host")
        return ""


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the bases that were made from Debian's archive."""
    names: list[str] = []
    monkeypatch.setattr(base, "make_base", lambda *arguments: names.append(arguments[-1]))
    return names


@pytest.mark.parametrize("image", [PINNED.image, OWN])
def test_image_that_is_there_is_used(image: str, made: list[str]) -> None:
    assert ensure_base(Engine(image, registry=False), PINNED, MIRROR) == image
    assert made == []


def test_registry_comes_before_the_archive(made: list[str]) -> None:
    assert ensure_base(Engine(registry=True), PINNED, MIRROR) == PINNED.image
    assert made == []


def test_own_base_is_made_where_no_registry_answers(
    made: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert ensure_base(Engine(registry=False), PINNED, MIRROR) == OWN
    assert made == [OWN]
    assert f"Making the same base from {MIRROR.main}" in capsys.readouterr().out


def test_who_may_not_install_is_told_what(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(apt, "may_install", lambda: False)
    with pytest.raises(BuildError, match="install mmdebstrap and debian-archive-keyring"):
        ensure_base(Engine(registry=False), PINNED, MIRROR)


def test_mirror_of_the_host() -> None:
    assert find_mirror({"DEBIAN_MIRROR": "http://mirror.example/debian/"}) == MIRROR
    both = {"DEBIAN_MIRROR": "http://one.example", "DEBIAN_SECURITY_MIRROR": "http://two.example"}
    assert find_mirror(both) == Mirror("http://one.example", "http://two.example")
