"""The table of bridges agrees with itself and with all that is made from it elsewhere."""

from collections import Counter
from pathlib import Path

import pytest

from appliance.bridges.catalogue import CATALOGUE, DEFAULT, Bridge, find
from appliance.settings import Settings
from builder.registry import load_registry

ROOT = Path(__file__).parents[3]
USERS = ROOT / "rootfs/usr/lib/sysusers.d/matrix-appliance.conf"


@pytest.mark.parametrize("field", ["name", "title", "component", "port_offset", "bot", "prefix"])
def test_no_two_share(field: str) -> None:
    values = Counter(getattr(bridge, field) for bridge in CATALOGUE)
    assert [value for value, uses in values.items() if uses > 1] == []


@pytest.mark.parametrize("bridge", CATALOGUE, ids=lambda bridge: bridge.name)
def test_each_has_a_user_a_component_and_its_variables(bridge: Bridge) -> None:
    assert f"u {bridge.name} " in USERS.read_text()
    names = {one.name for one in load_registry(ROOT / "components/components.yaml").components}
    assert bridge.component in names
    assert {field for _, field in bridge.network} <= set(Settings.model_fields)
    assert bool(bridge.network) == bool(bridge.how)
    assert 0 < bridge.port_offset < 50


@pytest.mark.parametrize("bridge", CATALOGUE, ids=lambda bridge: bridge.name)
def test_no_name_of_one_is_within_anothers(bridge: Bridge) -> None:
    others = [other for other in CATALOGUE if other is not bridge]
    names = (bridge.bot, bridge.ghosts)
    assert [other for other in others if any(n.startswith(other.ghosts) for n in names)] == []


def test_default_ones_are_in_it() -> None:
    assert [find(name).name for name in DEFAULT] == ["whatsapp", "telegram"]
    with pytest.raises(KeyError, match="icq"):
        find("icq")
