"""A plan is carried out at the API, record by record."""

from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

import pytest

from appliance.cloudflare import CloudflareError, Record
from appliance.dns import MARK, Action, Source, records
from appliance.dns.__main__ import work
from appliance.dns.state import State
from appliance.public_address import Known, PublicAddresses

from ..cloudflare.api import READ_ONLY, TOKEN, Api, run_api

NAMES = ("matrix.example.org", "turn.example.org")
HERE = PublicAddresses(Known(ip_address("8.8.4.4"), "a test", 1.0))
MOVED = PublicAddresses(Known(ip_address("9.9.9.9"), "a test", 2.0))


@pytest.fixture
def api() -> Iterator[Api]:
    with run_api() as running:
        running.add_zone("example.org")
        yield running


@pytest.fixture
def source(api: Api) -> Source:
    return Source("example.org", NAMES, NAMES[1], True, True, (), api.address, None, TOKEN)


def look(source: Source, addresses: PublicAddresses = HERE) -> State:
    with records.connect(source) as cloudflare:
        return work(cloudflare, source, addresses)


def contents(api: Api) -> dict[str, tuple[str, bool]]:
    return {row["name"]: (row["content"], row["proxied"]) for row in api.records.values()}


def test_an_empty_zone_becomes_complete_and_follows(api: Api, source: Source) -> None:
    state = look(source, HERE)
    assert contents(api) == {NAMES[0]: ("8.8.4.4", True), NAMES[1]: ("8.8.4.4", False)}
    assert [row.action for row in state.rows] == [Action.NOTHING, Action.NOTHING]
    assert state.done == (f"{NAMES[0]} A: 8.8.4.4", f"{NAMES[1]} A: 8.8.4.4")
    assert (state.well, state.summarize()) == (True, "2 records as they should be")
    assert look(source, HERE).done == ()
    assert look(source, MOVED).done[0] == f"{NAMES[0]} A: 8.8.4.4 -> 9.9.9.9"
    assert contents(api) == {NAMES[0]: ("9.9.9.9", True), NAMES[1]: ("9.9.9.9", False)}
    assert all(row["comment"].startswith(MARK) for row in api.records.values())


def test_without_an_address_nobody_is_asked(api: Api, source: Source) -> None:
    state = look(source, PublicAddresses())
    assert state.well
    assert "public address" in state.summarize()
    assert api.asked == []


def test_a_failure_tells_nothing_of_the_token(api: Api, source: Source) -> None:
    with pytest.raises(CloudflareError, match="Zone / DNS / Edit") as caught:
        look(replace(source, token=READ_ONLY))
    assert READ_ONLY not in str(caught.value)
    assert api.records == {}


def test_what_somebody_made_meanwhile_is_theirs(api: Api, source: Source) -> None:
    with records.connect(source) as cloudflare:
        zone, rows = records.plan(cloudflare, source, HERE)
        cloudflare.create(zone, Record(NAMES[0], "A", "1.1.1.1"))
        after = records.apply(cloudflare, zone, rows)
    assert [row.action for row in after] == [Action.KEEP, Action.NOTHING]
    assert contents(api)[NAMES[0]] == ("1.1.1.1", False)


def test_what_was_found_is_kept(tmp_path: Path, api: Api, source: Source) -> None:
    file = tmp_path / "dns.json"
    assert State.read(file) is None
    state = look(source, HERE)
    state.write(file)
    assert State.read(file) == state
    assert TOKEN not in file.read_text()
