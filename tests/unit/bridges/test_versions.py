from pathlib import Path

import pytest

from appliance.bridges import versions
from appliance.bridges.catalogue import find
from appliance.machine import Component, Machine

WHATSAPP = find("whatsapp")


def holding(version: str | None) -> Machine:
    status = "built" if version else "missing"
    components = (Component("mautrix-whatsapp", version, status),)
    return Machine(2, 2**33, False, ipv6=True, jemalloc=True, components=components)


@pytest.mark.parametrize(
    ("seen", "here", "newer"),
    [
        ("v0.2608.0", "v0.2512.0", "v0.2608.0"),
        ("v0.2512.1", "v0.2512.0", "v0.2512.1"),
        ("v0.2512.0", "v0.2512.0", None),
        ("v0.2512.0", "v0.2608.0", None),
        ("v0.999.0", "v0.2512.0", None),
        (None, "v0.2512.0", None),
        ("v0.2512.0", None, None),
    ],
)
def test_newer_data(tmp_path: Path, seen: str | None, here: str | None, newer: str | None) -> None:
    if seen:
        (tmp_path / "whatsapp").write_text(f"{seen}\n")
    assert versions.find_newer(WHATSAPP, holding(here), tmp_path) == newer


def test_what_was_seen_is_never_forgotten(tmp_path: Path) -> None:
    for here, expected in (("v0.2512.0", 2512), ("v0.2608.0", 2608), ("v0.2512.0", 2608)):
        text = versions.remember(WHATSAPP, holding(here), tmp_path)
        assert text == f"v0.{expected}.0\n"
        (tmp_path / "whatsapp").write_text(text)
