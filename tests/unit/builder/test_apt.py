import os
import platform

import pytest

from builder import apt


@pytest.mark.parametrize(
    ("user", "system", "may"),
    [
        (0, {"ID": "debian"}, True),
        (0, {"ID": "ubuntu", "ID_LIKE": "debian"}, True),
        (0, {"ID": "fedora"}, False),
        (0, {"ID": "mint", "ID_LIKE": "ubuntu debian"}, False),
        (1000, {"ID": "debian"}, False),
    ],
)
def test_root_on_debian_or_ubuntu_may_install(
    monkeypatch: pytest.MonkeyPatch, user: int, system: dict[str, str], may: bool
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.setattr(platform, "freedesktop_os_release", lambda: system)
    assert apt.may_install() is may


def test_a_system_that_says_nothing_of_itself_is_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail() -> dict[str, str]:
        raise FileNotFoundError("/etc/os-release")

    monkeypatch.setattr(platform, "freedesktop_os_release", fail)
    assert apt.may_install() is False
