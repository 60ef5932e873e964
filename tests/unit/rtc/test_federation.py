"""How a server is found by its name, with answers instead of a network."""

import asyncio
import json
from collections.abc import Mapping

import pytest

from appliance.rtc import federation as module
from appliance.rtc.errors import UnreachableError
from appliance.rtc.federation import Federation
from appliance.rtc.http_client import Answer
from appliance.rtc.outside import Endpoint, Outside
from appliance.rtc.srv import Service


class Pages(Outside):
    """An internet of a few pages."""

    def __init__(self, pages: Mapping[str, object]) -> None:
        super().__init__(())
        self._pages = pages
        self.asked: list[str] = []

    async def get_page(self, url: str) -> Answer:
        self.asked.append(url)
        if url not in self._pages:
            raise UnreachableError("nobody there")
        return Answer(200, {}, json.dumps(self._pages[url]).encode())


def find_in(records: Mapping[str, Service]) -> object:
    async def find(name: str) -> Service | None:
        return records.get(name)

    return find


WELL_KNOWN = "https://example.org/.well-known/matrix/server"


@pytest.mark.parametrize(
    ("server", "delegate", "records", "endpoint"),
    [
        ("9.9.9.9", None, {}, Endpoint("9.9.9.9", 8448, "9.9.9.9", "9.9.9.9")),
        ("[2620:fe::fe]:1", None, {}, Endpoint("2620:fe::fe", 1, "2620:fe::fe", "[2620:fe::fe]:1")),
        (
            "example.org:1",
            {"m.server": "never.asked"},
            {},
            Endpoint("example.org", 1, "example.org", "example.org:1"),
        ),
        (
            "example.org",
            {"m.server": "m.example.org:443"},
            {},
            Endpoint("m.example.org", 443, "m.example.org", "m.example.org:443"),
        ),
        (
            "example.org",
            {"m.server": "m.example.org"},
            {"_matrix-fed._tcp.m.example.org": Service("host.example.net", 7)},
            Endpoint("host.example.net", 7, "m.example.org", "m.example.org"),
        ),
        (
            "example.org",
            None,
            {"_matrix._tcp.example.org": Service("host.example.net", 7)},
            Endpoint("host.example.net", 7, "example.org", "example.org"),
        ),
        ("example.org", None, {}, Endpoint("example.org", 8448, "example.org", "example.org")),
        (
            "example.org",
            {"m.server": 1},
            {},
            Endpoint("example.org", 8448, "example.org", "example.org"),
        ),
        (
            "example.org",
            {"m.server": "no/name"},
            {},
            Endpoint("example.org", 8448, "example.org", "example.org"),
        ),
    ],
)
async def test_a_server_is_found(
    server: str, delegate: object, records: Mapping[str, Service], endpoint: Endpoint
) -> None:
    pages = Pages({} if delegate is None else {WELL_KNOWN: delegate})
    federation = Federation(pages, find_in(records))  # type: ignore[arg-type]
    assert await federation.find(server) == endpoint
    asked = len(pages.asked)
    assert await federation.find(server) == endpoint
    assert len(pages.asked) == asked, "found a while ago"


async def test_what_is_no_name_asks_nobody() -> None:
    pages = Pages({})
    with pytest.raises(UnreachableError, match="is no server name"):
        await Federation(pages, find_in({})).find("a/b")  # type: ignore[arg-type]
    assert pages.asked == []


async def test_what_is_remembered_is_bounded() -> None:
    federation = Federation(Pages({}), find_in({}))  # type: ignore[arg-type]
    for number in range(600):
        await federation.find(f"s{number}.example.org")
    assert len(federation._findings) == 500


async def test_a_server_that_only_waited_for_its_turn_is_not_thought_silent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_MAXIMUM_QUESTIONS", 1)
    monkeypatch.setattr(module, "_TOTAL_SECONDS", 0.05)

    async def never(name: str) -> Service | None:
        del name
        await asyncio.Event().wait()
        return None

    pages = Pages({})
    federation = Federation(pages, never)
    questions = (federation.ask_user_info(f"{name}.example", "t") for name in ("first", "second"))
    answers = await asyncio.gather(*questions, return_exceptions=True)
    assert [type(answer) for answer in answers] == [UnreachableError] * 2
    for name in ("first", "second"):
        with pytest.raises(UnreachableError):
            await federation.ask_user_info(f"{name}.example", "t")
    asked = [url.removeprefix("https://").partition("/")[0] for url in pages.asked]
    assert asked == ["first.example", "second.example"]
