from ipaddress import ip_address
from pathlib import Path

import pytest

from appliance import settings
from appliance.public_address import Known, PublicAddresses, kind, load

REAL = {"MATRIX_DOMAIN": "example.org", "MATRIX_TLS_MODE": "off"}
FOUND = PublicAddresses(
    Known(ip_address("8.8.4.4"), "stun1.example:3478", 1000.0), None, ("a word of warning",)
)


def known(tmp_path: Path, **variables: str) -> PublicAddresses:
    loaded = settings.load({**REAL, **variables})
    files = {name: str(tmp_path / name) for name in ("found", "remembered")}
    return load(loaded, **files)


def test_text_and_back() -> None:
    both = PublicAddresses(FOUND.ipv4, Known(ip_address("2001:db8::1"), "the default route"))
    for one in (FOUND, both, PublicAddresses()):
        assert PublicAddresses.from_json(one.to_json()) == one


def test_nothing_is_known_at_a_first_boot(tmp_path: Path) -> None:
    assert known(tmp_path) == PublicAddresses()


def test_a_restart_begins_with_what_was_found_before(tmp_path: Path) -> None:
    (tmp_path / "remembered").write_text(FOUND.to_json())
    assert known(tmp_path) == FOUND
    newer = PublicAddresses(Known(ip_address("9.9.9.9"), "stun1.example:3478", 2000.0))
    (tmp_path / "found").write_text(newer.to_json())
    assert known(tmp_path).addresses == (ip_address("9.9.9.9"),)


def test_the_owners_word_is_the_last(tmp_path: Path) -> None:
    (tmp_path / "found").write_text(FOUND.to_json())
    given = known(tmp_path, MATRIX_PUBLIC_IP="203.0.113.5,2001:db8::5")
    assert [str(one) for one in given.addresses] == ["203.0.113.5", "2001:db8::5"]
    assert given.known[0].source == "MATRIX_PUBLIC_IP"
    assert known(tmp_path, MATRIX_PUBLIC_IP="none") == PublicAddresses()


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "{", '{"ipv4": {"address": "x", "source": "", "when": 1}}', '"x"']
)
def test_a_damaged_file_is_as_good_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "found").write_text(text)
    (tmp_path / "remembered").write_text(FOUND.to_json())
    assert known(tmp_path) == FOUND


@pytest.mark.parametrize(
    ("address", "what"),
    [
        ("100.64.0.1", "carrier-grade NAT"),
        ("100.127.255.254", "carrier-grade NAT"),
        ("192.168.1.1", "a private address"),
        ("fd00::1", "inside a network only"),
        ("fe80::1", "on one cable only"),
        ("169.254.1.1", "on one cable only"),
        ("224.0.0.1", "not an address that the world can send to"),
    ],
)
def test_what_the_world_cannot_send_to_is_named(address: str, what: str) -> None:
    assert not kind.is_reachable(ip_address(address))
    assert what in kind.describe(ip_address(address))


def test_what_the_world_can_send_to() -> None:
    for address in ("8.8.4.4", "100.63.255.255", "100.128.0.0", "2a01:4f8::1"):
        assert kind.is_reachable(ip_address(address))
