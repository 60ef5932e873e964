from appliance.bridges.catalogue import find
from appliance.bridges.posts import Logins, Source
from appliance.jobs.bridge_logins import judge

SOURCE = Source.of("127.0.0.1", 1, "matrix.test", [(find("whatsapp"), "a"), (find("slack"), "b")])


def lose(bridge: str, user_id: str) -> dict[str, str]:
    return {"state_event": "BAD_CREDENTIALS", "user_id": user_id, "remote_id": f"{bridge}-account"}


def test_all_is_well() -> None:
    finding = judge(Logins(), SOURCE, 1000)
    assert finding.ok
    assert finding.detail == "0 log-ins, none of them lost"


def test_each_that_is_lost_is_told_with_whom_it_concerns() -> None:
    logins = Logins()
    logins.take("whatsapp", lose("whatsapp", "@alice:matrix.test"), 1000)
    logins.take("slack", lose("slack", "@bob:matrix.test"), 1000)
    finding = judge(logins, SOURCE, 1000)
    assert not finding.ok
    slack, whatsapp = finding.detail.split("; ")
    assert "@bob:matrix.test's log-in at Slack as slack-account is lost" in slack
    assert "@alice:matrix.test's log-in at WhatsApp as whatsapp-account is lost" in whatsapp
