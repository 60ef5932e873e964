from ipaddress import ip_address
from pathlib import Path

import pytest

from appliance.launch import livekit
from appliance.launch.livekit import FOLLOW, find_addresses
from appliance.public_address import Known, PublicAddresses, route

OWN = {4: ip_address("192.168.1.2"), 6: None}


@pytest.fixture(autouse=True)
def found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "public-address.json"
    monkeypatch.setattr(livekit, "PUBLIC_ADDRESS", str(path))
    monkeypatch.setattr(livekit, "PUBLIC_ADDRESS_REMEMBERED", str(tmp_path / "remembered.json"))
    monkeypatch.setattr(route, "find_own_address", OWN.get)
    return path


def test_what_the_boot_knew_is_told() -> None:
    assert find_addresses(["203.0.113.5"]) == ["203.0.113.5"]


def test_without_any_the_own_one_is_told() -> None:
    assert find_addresses([]) == ["192.168.1.2"]


def test_before_the_agent_knows_the_own_one_is_told() -> None:
    assert find_addresses([FOLLOW]) == ["192.168.1.2"]


def test_what_the_agent_found_is_told(found: Path) -> None:
    known = (Known(ip_address(text), "a server") for text in ("203.0.113.5", "2001:db8::5"))
    found.write_text(PublicAddresses.of(known).to_json())
    assert find_addresses([FOLLOW]) == ["2001:db8::5", "203.0.113.5"]


def test_a_machine_without_any_network_has_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(route, "find_own_address", lambda version: None)
    assert find_addresses([]) == ["127.0.0.1"]
