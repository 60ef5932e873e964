"""What is an error, what is none, and what cannot be told from inside."""

import pytest

from appliance.reachability import Answer, Arrival, Verdict, judge
from appliance.reachability.judgement import Name
from appliance.resolver import Lookup

HERE, HERE6, ELSEWHERE = "8.8.4.4", "2a01:4f8::7", "9.9.9.9"
LOCAL, OTHER_LOCAL = "192.168.1.5", "192.168.1.9"
EDGE = "104.16.0.1"
PUBLIC = (HERE, HERE6)


def judge_one(
    answers: dict[str, Answer] | None,
    *,
    public: tuple[str, ...] = PUBLIC,
    addresses: tuple[str, ...] = (),
    certain: bool = True,
    zone: tuple[str, ...] = (),
) -> Arrival:
    lookup = Lookup(tuple(answers) if answers else addresses, certain)
    (arrival,) = judge([Name("matrix.example.org", lookup, answers, zone)], public)
    return arrival


OURS, OTHER, NONE = Answer.OURS, Answer.OTHER, Answer.NONE


@pytest.mark.parametrize(
    ("answers", "verdict"),
    [
        ({HERE: OURS}, Verdict.HERE),
        ({HERE: OURS, HERE6: OURS}, Verdict.HERE),
        ({EDGE: OURS}, Verdict.HERE),
        ({LOCAL: OURS}, Verdict.INSIDE),
        ({LOCAL: OURS, HERE: OURS}, Verdict.HERE),
        ({HERE: NONE}, Verdict.UNSEEN),
        ({HERE: OTHER}, Verdict.UNSEEN),
        ({HERE: OURS, HERE6: NONE}, Verdict.UNSEEN),
        ({HERE: OURS, ELSEWHERE: NONE}, Verdict.PARTLY),
        ({HERE: NONE, ELSEWHERE: OTHER}, Verdict.PARTLY),
        ({ELSEWHERE: OTHER}, Verdict.AWAY),
        ({ELSEWHERE: NONE}, Verdict.AWAY),
        ({OTHER_LOCAL: OTHER}, Verdict.AWAY),
        ({EDGE: OTHER}, Verdict.AWAY),
    ],
)
def test_where_a_name_leads(answers: dict[str, Answer], verdict: Verdict) -> None:
    arrival = judge_one(answers)
    assert arrival.verdict is verdict
    assert arrival.well is (verdict not in (Verdict.PARTLY, Verdict.AWAY))


def test_one_that_leads_away_says_what_it_needs() -> None:
    arrival = judge_one({ELSEWHERE: OTHER})
    assert arrival.detail == (
        f"leads to {ELSEWHERE}, not to this machine; it needs A {HERE} and AAAA {HERE6}"
    )
    assert "which address it needs is not known" in judge_one({ELSEWHERE: NONE}, public=()).detail


def test_one_without_an_address() -> None:
    arrival = judge_one({})
    assert arrival.verdict is Verdict.AWAY
    assert arrival.detail.startswith("has no address in the DNS; it needs A ")


def test_a_resolver_that_is_silent_proves_nothing() -> None:
    assert judge_one({}, certain=False).verdict is Verdict.UNKNOWN


def test_what_cannot_be_told_from_inside_is_said_to_be_so() -> None:
    for answer in (OTHER, NONE):
        arrival = judge_one({HERE: answer})
        assert arrival.well
        assert "try it from outside" in arrival.detail
        assert answer.value in arrival.detail


def test_behind_the_providers_nat_no_record_helps() -> None:
    arrival = judge_one({ELSEWHERE: NONE}, public=("100.70.1.2",))
    assert "no record would help" in arrival.detail
    assert "carrier-grade NAT" in arrival.detail
    with_ipv6 = judge_one({ELSEWHERE: NONE}, public=("100.70.1.2", HERE6))
    assert f"AAAA {HERE6}" in with_ipv6.detail


def test_a_relay_is_judged_by_its_address_alone() -> None:
    assert judge_one(None, addresses=(HERE,)).verdict is Verdict.HERE
    assert judge_one(None, addresses=(EDGE,)).verdict is Verdict.AWAY


def test_a_zone_that_says_something_else_is_told() -> None:
    arrival = judge_one({LOCAL: OURS}, zone=(HERE,))
    assert f"the zone says {HERE}, but this machine is told {LOCAL}" in arrival.detail
    arrival = judge_one({}, zone=(HERE,))
    assert f"the zone says {HERE}, but this machine is told nothing" in arrival.detail
    assert "zone" not in judge_one({HERE: OURS, HERE6: OURS}, zone=(HERE6, HERE)).detail


def test_one_behind_the_proxy_says_that_nobody_comes_through() -> None:
    lookup = Lookup((EDGE,))
    name = Name("matrix.example.org", lookup, {EDGE: OTHER}, (), proxied=True)
    (arrival,) = judge([name], PUBLIC)
    assert arrival.verdict is Verdict.AWAY
    assert "Cloudflare's proxy, which does not come through" in arrival.detail
