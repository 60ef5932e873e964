from typing import Any

import pytest

from appliance.bridges.catalogue import find
from appliance.bridges.posts import Logins, Source, describe, digest

ALICE = "@alice:matrix.test"
SOURCE = Source.of("127.0.0.1", 29300, "matrix.test", [(find("whatsapp"), "the token")])
(WHATSAPP,) = SOURCE.posters.values()


def post(event: str, login_id: str = "4915551234567", **more: Any) -> dict[str, Any]:
    """Return what a bridge posts of a log-in."""
    about = {"user_id": ALICE, "remote_id": login_id, "remote_name": f"+{login_id}"}
    return {"state_event": event, "timestamp": 1, "ttl": 21600, "source": "bridge", **about, **more}


def ailing(logins: Logins, now: float) -> list[str]:
    return [describe(state, WHATSAPP, now) for state in logins.ailing(now)]


def test_one_that_is_connected_is_nobodys_matter() -> None:
    logins = Logins()
    logins.take("whatsapp", post("CONNECTED"), 1000)
    assert len(logins) == 1
    assert ailing(logins, 9000) == []


def test_one_that_the_network_ended_is_told_at_once() -> None:
    logins = Logins()
    logins.take("whatsapp", post("CONNECTED"), 1000)
    more = {"error": "wa-logged-out", "message": "You were logged out from another device"}
    logins.take("whatsapp", post("BAD_CREDENTIALS", **more), 1010)
    assert ailing(logins, 1010) == [
        "@alice:matrix.test's log-in at WhatsApp as +4915551234567 is lost (You were logged out "
        "from another device): to be made anew in the chat with @whatsappbot:matrix.test"
    ]
    logins.take("whatsapp", post("CONNECTED"), 1020)
    assert ailing(logins, 1020) == []


def test_one_that_failed_is_told_by_its_error_where_it_has_no_message() -> None:
    logins = Logins()
    logins.take("whatsapp", post("UNKNOWN_ERROR", error="wa-stream-replaced"), 1000)
    assert ailing(logins, 1000) == [
        "@alice:matrix.test's log-in at WhatsApp as +4915551234567 has failed "
        "(wa-stream-replaced); the chat with @whatsappbot:matrix.test says more"
    ]


def test_one_that_is_disconnected_is_told_after_minutes() -> None:
    logins = Logins()
    logins.take("whatsapp", post("CONNECTED"), 900)
    logins.take("whatsapp", post("TRANSIENT_DISCONNECT", error="wa-keepalive-timeout"), 1000)
    # Another word of it does not begin anew.
    logins.take("whatsapp", post("TRANSIENT_DISCONNECT", message="no way out"), 1170)
    assert ailing(logins, 1179) == []
    assert ailing(logins, 1180) == [
        "@alice:matrix.test's log-in at WhatsApp as +4915551234567 has been disconnected for 3 min "
        "(no way out)"
    ]


def test_a_disconnection_that_ended_begins_anew() -> None:
    logins = Logins()
    logins.take("whatsapp", post("TRANSIENT_DISCONNECT"), 1000)
    logins.take("whatsapp", post("CONNECTED"), 1100)
    logins.take("whatsapp", post("TRANSIENT_DISCONNECT"), 1110)
    assert ailing(logins, 1200) == []


def test_one_that_its_owner_ended_is_gone() -> None:
    logins = Logins()
    logins.take("whatsapp", post("BAD_CREDENTIALS"), 1000)
    logins.take("whatsapp", post("LOGGED_OUT"), 1010)
    assert len(logins) == 0
    logins.take("whatsapp", post("LOGGED_OUT", "unknown"), 1020)
    assert ailing(logins, 1020) == []


def test_each_log_in_is_told_by_itself() -> None:
    logins = Logins()
    logins.take("whatsapp", post("BAD_CREDENTIALS", "1"), 1000)
    logins.take("whatsapp", post("CONNECTED", "2"), 1000)
    logins.take("telegram", post("BAD_CREDENTIALS", "1"), 1000)
    assert [(one.bridge, one.login_id) for one in logins.ailing(1000)] == [
        ("telegram", "1"),
        ("whatsapp", "1"),
    ]


def test_a_bridge_with_no_log_in_at_all_has_lost_none() -> None:
    logins = Logins()
    logins.take("whatsapp", post("BAD_CREDENTIALS"), 1000)
    logins.take("telegram", post("BAD_CREDENTIALS"), 1000)
    logins.take("whatsapp", {"state_event": "UNCONFIGURED", "source": "bridge"}, 1010)
    assert [one.bridge for one in logins.ailing(1010)] == ["telegram"]
    logins.keep_only(["whatsapp"])
    assert len(logins) == 0


@pytest.mark.parametrize("strange", [{}, {"state_event": "STARTING"}, {"remote_id": None}])
def test_what_is_of_no_log_in_changes_nothing(strange: dict[str, Any]) -> None:
    logins = Logins()
    logins.take("whatsapp", post("BAD_CREDENTIALS"), 1000)
    logins.take("whatsapp", strange, 1010)
    assert len(ailing(logins, 1010)) == 1


def test_an_agent_that_starts_anew_knows_them() -> None:
    logins = Logins()
    logins.take("whatsapp", post("TRANSIENT_DISCONNECT"), 1000)
    again = Logins.from_json(logins.to_json())
    again.take("whatsapp", post("TRANSIENT_DISCONNECT"), 1300)
    assert len(ailing(again, 1300)) == 1


def test_the_agent_is_told_no_token() -> None:
    assert Source.from_json(SOURCE.to_json()) == SOURCE
    assert "the token" not in SOURCE.to_json()
    assert SOURCE.posters[digest("the token")].bot == "@whatsappbot:matrix.test"
