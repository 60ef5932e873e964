"""Who is believed, and what the owner is told about the others."""

from ipaddress import ip_address

from appliance.public_address.discovery import Found, discover

from .networks import FIRST, HOME, OTHER, PRIVATE, SECOND, SERVERS, SHARED, THIRD, StandIn


async def find(stand_in: StandIn, version: int = 4) -> Found:
    return await discover(version, SERVERS, 1000.0, stand_in.network())


async def test_two_that_agree_are_enough() -> None:
    home = StandIn({FIRST: HOME, SECOND: HOME, THIRD: OTHER})
    found = await find(home)
    assert found.known is not None
    assert found.known.address == ip_address(HOME)
    assert (found.known.source, found.known.when) == (str(FIRST), 1000.0)
    assert found.warnings == ()
    assert sorted(home.asked, key=str) == [FIRST, SECOND]


async def test_a_silent_one_is_replaced() -> None:
    home = StandIn({SECOND: HOME, THIRD: HOME})
    found = await find(home)
    assert (found.known and found.known.source) == str(SECOND)
    assert found.warnings == ()
    assert set(home.asked) == set(SERVERS)


async def test_the_word_of_one_is_enough() -> None:
    found = await find(StandIn({THIRD: HOME}))
    assert (found.known and found.known.source) == str(THIRD)


async def test_one_that_disagrees_is_named_and_outvoted() -> None:
    found = await find(StandIn({FIRST: OTHER, SECOND: HOME, THIRD: HOME}))
    assert (found.known and str(found.known.address)) == HOME
    assert found.warnings[0].startswith(f"{FIRST} sees {OTHER}, but {SECOND}")
    assert "MATRIX_STUN_SERVERS" in found.warnings[0]


async def test_of_two_that_disagree_the_first_is_believed() -> None:
    found = await find(StandIn({FIRST: HOME, SECOND: OTHER}))
    assert (found.known and str(found.known.address)) == HOME
    assert len(found.warnings) == 1


async def test_nobody_is_asked_without_a_route() -> None:
    home = StandIn({FIRST: HOME})
    assert await find(home, 6) == Found(None)
    assert home.asked == []


async def test_a_machine_with_the_address_itself_needs_nobody() -> None:
    found = await find(StandIn(own={4: HOME}))
    assert (found.known and found.known.source) == "the default route"
    assert found.failed, "no more than likely"


async def test_silence_behind_a_router_is_a_failure_that_says_who() -> None:
    found = await find(StandIn())
    assert found.failed
    assert found.known is None
    assert str(FIRST) in found.warnings[0]
    assert f"{PRIVATE}, a private address" in found.warnings[0]


async def test_carrier_grade_nat_is_named() -> None:
    found = await find(StandIn({FIRST: SHARED, SECOND: SHARED}))
    assert (found.known and str(found.known.address)) == SHARED
    assert "carrier-grade NAT" in found.warnings[0]


async def test_an_address_that_stays_is_taken_where_the_machine_has_one() -> None:
    temporary, lasting = "2a01:4f8::aaaa", "2a01:4f8::1"
    said = {FIRST: temporary, SECOND: temporary}
    found = await find(StandIn(says6=said, own={6: temporary}, lasting=lasting), 6)
    assert (found.known and str(found.known.address)) == lasting
    behind = await find(StandIn(says6=said, own={6: "fd00::5"}, lasting="fd00::1"), 6)
    assert (behind.known and str(behind.known.address)) == temporary


async def test_a_router_behind_the_providers_nat_gives_it_away() -> None:
    found = await find(StandIn({FIRST: HOME, SECOND: HOME}, router=SHARED))
    assert (found.known and str(found.known.address)) == HOME
    assert found.known is not None
    assert (
        f"the router itself has {SHARED}, an address of carrier-grade NAT" in found.known.obstacle
    )
    assert "ask the provider" in found.warnings[0]


async def test_a_router_behind_a_router_is_told() -> None:
    found = await find(StandIn({FIRST: HOME, SECOND: HOME}, router="192.168.178.2"))
    assert (found.known and found.known.obstacle) == ""
    assert "behind another router" in found.warnings[0]


async def test_a_router_with_the_address_that_the_world_sees_is_well() -> None:
    for router in (HOME, ""):
        found = await find(StandIn({FIRST: HOME, SECOND: HOME}, router=router))
        assert found.warnings == ()


async def test_a_machine_with_the_address_itself_has_no_router_to_ask() -> None:
    found = await find(StandIn({FIRST: HOME, SECOND: HOME}, {}, {4: HOME}, router=SHARED))
    assert found.warnings == ()
