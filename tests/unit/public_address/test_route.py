from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

import pytest

from appliance.public_address.route import find_lasting_address, find_own_address

PREFIX = "2a0104f8000000010000000000000"
LISTING = f"""\
00000000000000000000000000000001 01 80 10 80       lo
{PREFIX}aaa 02 40 00 01     eth0
{PREFIX}bbb 02 40 00 20     eth0
{PREFIX}ccc 02 40 00 00     eth0
{PREFIX}ddd 03 40 00 80    wlan0
fe80000000000000000000000000000a 02 40 20 80     eth0
"""
TEMPORARY, STAYING = IPv6Address("2a01:4f8:0:1::aaa"), IPv6Address("2a01:4f8:0:1::ccc")


@pytest.fixture
def listing(tmp_path: Path) -> Path:
    file = tmp_path / "if_inet6"
    file.write_text(LISTING)
    return file


def test_one_for_privacy_is_replaced_by_one_that_stays(listing: Path) -> None:
    assert find_lasting_address(TEMPORARY, listing) == STAYING


def test_one_that_stays_is_kept(listing: Path) -> None:
    on_wlan = IPv6Address("2a01:4f8:0:1::ddd")
    assert find_lasting_address(STAYING, listing) == STAYING
    assert find_lasting_address(on_wlan, listing) == on_wlan


def test_what_the_kernel_does_not_list_is_kept(listing: Path, tmp_path: Path) -> None:
    for other in (IPv6Address("2a01:4f8::9"), IPv4Address("8.8.4.4")):
        assert find_lasting_address(other, listing) == other
    assert find_lasting_address(TEMPORARY, tmp_path / "none") == TEMPORARY


def test_looking_at_the_route_sends_nothing_and_never_raises() -> None:
    for version in (4, 6):
        own = find_own_address(version)
        assert own is None or own.version == version
