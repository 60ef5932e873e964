"""What is done about a name depends on who made its records and what the address is."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from ipaddress import ip_address

import pytest

from appliance.cloudflare import Record
from appliance.dns import MARK, Action, Row, Source, draw
from appliance.public_address import Known, PublicAddresses

NAME, TURN = "matrix.example.org", "turn.example.org"
SOURCE = Source(
    domain="example.org",
    names=(NAME,),
    unproxied=TURN,
    proxied=False,
    follow=False,
    given=(),
    api="https://api.example",
    ca_bundle=None,
    token="secret",
)
V4, V6 = "8.8.4.4", "2a01:4f8::7"


def at(*addresses: str) -> PublicAddresses:
    return PublicAddresses.of(Known(ip_address(one), "a test", 1.0) for one in addresses)


def ours(type_: str, content: str, name: str = NAME) -> Record:
    return Record(name, type_, content, comment=f"{MARK} (example.org)", id="1")


def theirs(type_: str, content: str, name: str = NAME, proxied: bool = False) -> Record:
    return Record(name, type_, content, proxied=proxied, comment="mine", id="2")


def plan(
    addresses: PublicAddresses,
    *there: Record,
    source: Source = SOURCE,
    existing: Mapping[str, Sequence[Record]] | None = None,
) -> list[Row]:
    return draw(source, addresses, existing or {NAME: there})


def test_what_is_not_there_is_made_in_both_families() -> None:
    rows = plan(at(V4, V6))
    assert [(row.type, row.action, row.wanted) for row in rows] == [
        ("A", Action.CREATE, V4),
        ("AAAA", Action.CREATE, V6),
    ]
    assert rows[0].record == Record(NAME, "A", V4, comment=f"{MARK} (example.org)")


def test_what_is_ours_and_right_needs_nothing() -> None:
    (row,) = plan(at(V4), ours("A", V4))
    assert (row.action, row.well, row.record) == (Action.NOTHING, True, None)


def test_a_family_that_came_later_is_added() -> None:
    actions = [row.action for row in plan(at(V4, V6), ours("A", V4))]
    assert actions == [Action.NOTHING, Action.CREATE]


@pytest.mark.parametrize(
    "record",
    [
        theirs("A", "9.9.9.9"),
        theirs("AAAA", V6),
        theirs("CNAME", "elsewhere.example.com"),
        theirs("A", "9.9.9.9", proxied=True),
    ],
)
@pytest.mark.parametrize("follow", [False, True])
def test_what_is_not_ours_is_never_touched(record: Record, follow: bool) -> None:
    """Nor is its other family made: half of the clients would go astray."""
    rows = plan(at(V4, "2a01:4f8::8"), record, source=replace(SOURCE, follow=follow))
    assert [(row.action, row.now, row.record) for row in rows] == [
        (Action.KEEP, record.content, None)
    ]
    assert rows[0].well, "where it leads is asked elsewhere"


def test_one_of_ours_beside_one_of_theirs_is_not_touched() -> None:
    rows = plan(at(V4), ours("A", "9.9.9.9"), theirs("A", V4), source=replace(SOURCE, follow=True))
    assert [row.record for row in rows] == [None]


def test_what_answers_no_address_is_in_nobodys_way() -> None:
    (row,) = plan(at(V4), theirs("TXT", "anything"))
    assert row.action is Action.CREATE


def test_a_changed_address_is_followed_only_where_asked() -> None:
    (kept,) = plan(at(V4), ours("A", "9.9.9.9"))
    assert (kept.action, kept.well) == (Action.KEEP, False)
    assert "MATRIX_CLOUDFLARE_DNS=manage" in kept.why
    (changed,) = plan(at(V4), ours("A", "9.9.9.9"), source=replace(SOURCE, follow=True))
    assert (changed.action, changed.now, changed.wanted) == (Action.CHANGE, "9.9.9.9", V4)
    assert changed.record == ours("A", "9.9.9.9")


def test_the_relay_is_never_behind_the_proxy() -> None:
    source = replace(SOURCE, names=(NAME, TURN), proxied=True)
    rows = plan(at(V4), source=source, existing={NAME: (), TURN: ()})
    assert [row.record and row.record.proxied for row in rows] == [True, False]
    blocked = theirs("A", V4, TURN, proxied=True)
    (row,) = plan(at(V4), source=replace(SOURCE, names=(TURN,)), existing={TURN: (blocked,)})
    assert not row.well
    assert "passes no calls" in row.why


@pytest.mark.parametrize(
    ("address", "what"), [("100.70.1.2", "carrier-grade NAT"), ("192.168.1.2", "a private address")]
)
def test_an_address_that_leads_nowhere_is_left_out_and_named(address: str, what: str) -> None:
    (row,) = plan(at(address))
    assert (row.action, row.record, row.well) == (Action.LEAVE_OUT, None, False)
    assert what in row.why
    (kept,) = plan(at(address), ours("A", V4), source=replace(SOURCE, follow=True))
    assert kept.action is Action.LEAVE_OUT


def test_an_address_that_nobody_gets_through_to_is_left_out_and_said_why() -> None:
    behind = PublicAddresses(Known(ip_address(V4), "a test", 1.0, "the router has 100.70.1.2"))
    (row,) = plan(behind)
    assert (row.action, row.record, row.well) == (Action.LEAVE_OUT, None, False)
    assert row.why == f"{V4} leads nowhere: the router has 100.70.1.2"


def test_a_private_address_that_the_owner_named_is_written_and_named() -> None:
    (row,) = plan(at("192.168.1.2"), source=replace(SOURCE, given=("192.168.1.2",)))
    assert (row.action, row.why) == (Action.CREATE, "a private address")


def test_a_family_that_is_gone_is_told() -> None:
    rows = plan(at(V4), ours("A", V4), ours("AAAA", V6))
    assert [(row.type, row.action, row.well) for row in rows] == [
        ("A", Action.NOTHING, True),
        ("AAAA", Action.KEEP, False),
    ]


def test_without_any_address_nothing_is_said_of_ours() -> None:
    assert plan(at(), ours("A", V4)) == []


def test_text_and_back_and_no_token_in_what_is_printed() -> None:
    source = replace(SOURCE, given=(V4, V6))
    assert Source.from_json(source.to_json()) == source
    assert "secret" not in repr(source)
    assert source.addresses.addresses == (ip_address(V4), ip_address(V6))
