"""The MatrixRTC authorization service: tokens for our users, clean errors for everybody else."""

import json
import secrets
import socket
from typing import Any

import pytest

from .appliances import Appliance, LanAppliance, until
from .calls import SERVICE, SFU, claims, device_body, member_body, post, validate
from .conftest import Boot
from .http_client import Account

ROOM = "!room:matrix.localhost"
# A token for LiveKit as the service makes them, for as long as is said.
_SIGN = """
import sys
from appliance.rtc.configuration import read_configuration
from appliance.rtc.sfu import Sfu
room, seconds = sys.argv[1], int(sys.argv[2])
print(Sfu(read_configuration())._sign({"roomJoin": True, "room": room}, seconds, "somebody"))
"""


@pytest.fixture(scope="module")
def alice(trial: Appliance) -> Account:
    return Account.register(trial.matrix)


@pytest.fixture(scope="module")
def bob(trial: Appliance) -> Account:
    return Account.register(trial.matrix)


def error_of(answer: Any, status: int) -> str:
    """Return the error code of an answer that must be a refusal, readable by any page."""
    assert answer.status == status, answer.body
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    body = answer.json()
    assert body.keys() == {"errcode", "error"}
    return str(body["errcode"])


def test_both_endpoints_lead_into_one_room(trial: Appliance, alice: Account, bob: Account) -> None:
    room = f"!{secrets.token_hex(8)}:matrix.localhost"
    older = post(trial.matrix, "/sfu/get", device_body(alice, room)).json()
    newer = post(trial.matrix, "/get_token", member_body(bob, room)).json()
    assert older["url"] == newer["url"] == f"ws://{trial.matrix.url.partition('//')[2]}{SFU}"
    first, second = claims(older["jwt"]), claims(newer["jwt"])
    assert first["video"] == second["video"]
    assert first["video"] == {
        "room": first["video"]["room"],
        **dict.fromkeys(("roomJoin", "canPublish", "canSubscribe", "canUpdateOwnMetadata"), True),
        "roomCreate": True,
    }
    assert first["sub"] == f"{alice.user_id}:{alice.device_id}"
    assert bob.user_id not in second["sub"]
    for answer in (older, newer):
        assert validate(trial.matrix, answer["jwt"]).status == 200


def test_openid_tokens_are_good_again(trial: Appliance, alice: Account) -> None:
    body = device_body(alice, ROOM)
    assert [post(trial.matrix, "/sfu/get", body).status for _ in range(3)] == [200] * 3


def test_nobody_speaks_for_another(trial: Appliance, alice: Account, bob: Account) -> None:
    body = member_body(alice, ROOM)
    body["member"]["claimed_user_id"] = bob.user_id
    assert error_of(post(trial.matrix, "/get_token", body), 401) == "M_UNAUTHORIZED"


def test_a_token_of_nobody(trial: Appliance, alice: Account) -> None:
    body = device_body(alice, ROOM)
    body["openid_token"]["access_token"] = "made-up"
    assert error_of(post(trial.matrix, "/sfu/get", body), 401) == "M_UNAUTHORIZED"
    # An access token is no OpenID token.
    body["openid_token"]["access_token"] = alice.access_token
    assert error_of(post(trial.matrix, "/sfu/get", body), 401) == "M_UNAUTHORIZED"


class TestTokensOnceMore:
    """A token is good again while it is good at all, and only for what it was given for."""

    def test_an_openid_token_that_has_expired(self, trial: Appliance, alice: Account) -> None:
        body = device_body(alice, ROOM)
        assert post(trial.matrix, "/sfu/get", body).status == 200
        expire = "UPDATE open_id_tokens SET ts_valid_until_ms = 0"  # every one that there is
        psql = ("psql", "-XAtqh", "/run/postgresql", "-U", "postgres", "-c", expire, "synapse")
        trial.run(*psql)
        assert error_of(post(trial.matrix, "/sfu/get", body), 401) == "M_UNAUTHORIZED"
        member = member_body(alice, ROOM)
        member["openid_token"] = body["openid_token"]
        assert error_of(post(trial.matrix, "/get_token", member), 401) == "M_UNAUTHORIZED"

    def test_one_of_somebody_else_makes_nobody_them(
        self, trial: Appliance, alice: Account, bob: Account
    ) -> None:
        body = device_body(bob, ROOM)
        body["device_id"] = alice.device_id
        answer = post(trial.matrix, "/sfu/get", body).json()
        assert claims(answer["jwt"])["sub"] == f"{bob.user_id}:{alice.device_id}"

    def test_a_call_s_token_that_has_expired(self, trial: Appliance, alice: Account) -> None:
        jwt = post(trial.matrix, "/sfu/get", device_body(alice, ROOM)).json()["jwt"]
        room = claims(jwt)["video"]["room"]
        for seconds, status in ((3600, 200), (-3600, 401)):
            token = trial.run("python", "-c", _SIGN, room, str(seconds), user="rtc").strip()
            assert validate(trial.matrix, token).status == status

    def test_a_call_s_token_for_another_call(self, trial: Appliance, alice: Account) -> None:
        first, second = (
            post(trial.matrix, "/sfu/get", device_body(alice, room)).json()["jwt"]
            for room in (ROOM, f"{ROOM}x")
        )
        head, _, signature = first.split(".")
        mixed = ".".join((head, second.split(".")[1], signature))
        assert validate(trial.matrix, second).status == 200
        assert validate(trial.matrix, mixed).status == 401


def test_without_federation_no_other_server_counts(trial: Appliance, alice: Account) -> None:
    for name in ("example.org", "127.0.0.1:8008", "[::1]", "matrix.localhost:80", "a/b"):
        body = device_body(alice, ROOM)
        body["openid_token"]["matrix_server_name"] = name
        assert error_of(post(trial.matrix, "/sfu/get", body), 403) == "M_FORBIDDEN"


@pytest.mark.parametrize("endpoint", ["/sfu/get", "/get_token", "/delegate_delayed_leave"])
@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "M_NOT_JSON"),
        (b"[" * 16000, "M_NOT_JSON"),
        (b"{}", "M_BAD_JSON"),
        (b'{"openid_token": {"access_token": 1, "matrix_server_name": []}}', "M_BAD_JSON"),
        (b'{"room": "\\ud800", "openid_token": {}, "device_id": {}}', "M_BAD_JSON"),
    ],
)
def test_bodies_that_are_none(trial: Appliance, endpoint: str, body: bytes, code: str) -> None:
    assert error_of(post(trial.matrix, endpoint, body), 400) == code


def test_too_large_a_body(trial: Appliance) -> None:
    assert error_of(post(trial.matrix, "/sfu/get", b" " * 20000), 413) == "M_TOO_LARGE"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_other_methods(trial: Appliance, method: str) -> None:
    answer = trial.matrix.request(method, f"{SERVICE}/sfu/get")
    assert (answer.status, answer.body) == (405, b"")


def test_pages_of_other_hosts_may_ask(trial: Appliance) -> None:
    answer = trial.matrix.request("OPTIONS", f"{SERVICE}/sfu/get")
    assert answer.status == 200
    assert answer.headers["Access-Control-Allow-Methods"] == "POST"
    # A second header of the same name, and a browser refuses both.
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_half_a_delegation(trial: Appliance, alice: Account) -> None:
    for more in ({"delay_id": "x"}, {"delay_timeout": 1000}):
        answer = post(trial.matrix, "/sfu/get", device_body(alice, ROOM, **more))
        assert error_of(answer, 400) == "M_BAD_JSON"
    answer = post(trial.matrix, "/delegate_delayed_leave", member_body(alice, ROOM))
    assert error_of(answer, 400) == "M_BAD_JSON"


def test_who_sends_slowly_holds_up_nobody(trial: Appliance, alice: Account) -> None:
    port = int(trial.matrix.url.rpartition(":")[2])
    head = f"POST {SERVICE}/sfu/get HTTP/1.1\r\nHost: {trial.matrix.url[7:]}\r\n"
    slow = []
    for _ in range(50):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.sendall(f"{head}Content-Length: 100\r\n\r\n{{".encode())
        slow.append(connection)
    try:
        assert post(trial.matrix, "/sfu/get", device_body(alice, ROOM)).status == 200
    finally:
        for connection in slow:
            connection.close()


@pytest.mark.parametrize(
    "path",
    [
        *(f"{SFU}{path}" for path in ("/", "", "/twirp/livekit.RoomService/CreateRoom", "/agent")),
        *(f"{SFU}{path}" for path in ("/whip/v1", "/debug/rooms", "/metrics", "/rtc/../twirp")),
        *(f"{SFU}/rtc{path}" for path in ("%2f..%2ftwirp", "/v2", "/v1/", "/validate/x")),
        *(f"{SERVICE}{path}" for path in ("/", "/sfu_webhook", "/sfu/get/", "/sfu")),
    ],
)
def test_nothing_else_of_them_is_reachable(trial: Appliance, alice: Account, path: str) -> None:
    jwt = post(trial.matrix, "/sfu/get", device_body(alice, ROOM)).json()["jwt"]
    headers = {"Authorization": f"Bearer {jwt}", "Content-Type": "application/json"}
    for method in ("GET", "POST"):
        assert trial.matrix.request(method, path, b'{"name": "x"}', headers).status == 404


def test_clients_find_one_service_in_three_places(
    trial: Appliance, alice: Account, element_in_image: bool
) -> None:
    service = f"{trial.matrix.url}{SERVICE}"
    transports = alice.ask("GET", "/unstable/org.matrix.msc4143/rtc/transports")
    assert transports == {"rtc_transports": [{"type": "livekit", "livekit_service_url": service}]}
    well_known = trial.matrix.get("/.well-known/matrix/client").json()
    assert well_known["org.matrix.msc4143.rtc_foci"] == transports["rtc_transports"]
    if element_in_image:
        element_call = trial.chat.get("/widgets/element-call/config.json").json()
        assert element_call["livekit"] == {"livekit_service_url": service}


def test_members_of_any_new_room_may_call(trial: Appliance, alice: Account, bob: Account) -> None:
    for preset in ("private_chat", "trusted_private_chat", "public_chat"):
        room = alice.create_room(preset=preset, invite=[bob.user_id])
        bob.ask("POST", f"/v3/rooms/{room}/join", {})
        state = f"/v3/rooms/{room}/state"
        key = f"_{bob.user_id}_{bob.device_id}_m.call"
        bob.ask("PUT", f"{state}/org.matrix.msc3401.call.member/{key}", {})
        powers = alice.ask("GET", f"{state}/m.room.power_levels")
        assert powers["events"]["m.room.power_levels"] == 100
        assert powers["state_default"] == 50


def test_without_calls_nothing_is_there(boot: Boot) -> None:
    appliance = boot(Appliance().with_variables(MATRIX_CALLS="off"))
    report = json.loads(appliance.command("status", "--json"))
    assert {"livekit", "rtc"}.isdisjoint(part["name"] for part in report["parts"])
    assert appliance.matrix.get(f"{SERVICE}/healthz").status == 404
    assert appliance.matrix.get(f"{SFU}/rtc/validate").status == 404
    account = Account.register(appliance.matrix)
    answer = appliance.matrix.get(
        "/_matrix/client/unstable/org.matrix.msc4143/rtc/transports", **account.authorization
    )
    assert answer.status == 404 or answer.json() == {}
    assert "rtc" not in appliance.matrix.get("/.well-known/matrix/client").body.decode()


class TestServicesThatAreAway:
    """What clients get while LiveKit or the service is not there."""

    def test_livekit(self, lan: LanAppliance) -> None:
        account = lan.make_account("away-livekit")
        before = lan.program("livekit").pid
        lan.expect("^rtc +.*WARNING a call cannot begin: ", "LiveKit is killed here")
        lan.expect("^appliance|WARN exited: livekit ", "LiveKit is killed here")
        lan.supervisor("stop", "appliance:livekit")
        answer = post(lan.matrix, "/sfu/get", device_body(account, ROOM))
        assert error_of(answer, 500) == "M_UNKNOWN"
        token = secrets.token_hex(20)
        assert error_of(validate(lan.matrix, token), 503) == "M_UNKNOWN"
        assert token not in lan.logs()
        lan.supervisor("start", "appliance:livekit")
        until(
            lambda: post(lan.matrix, "/sfu/get", device_body(account, ROOM)).status == 200,
            "LiveKit is there again",
        )
        assert lan.program("livekit").pid != before

    def test_the_service_itself_promises_no_delegation(self, lan: LanAppliance) -> None:
        lan.supervisor("stop", "appliance:rtc")
        assert error_of(post(lan.matrix, "/sfu/get", b"{}"), 503) == "M_UNKNOWN"
        answer = post(lan.matrix, "/delegate_delayed_leave", b"")
        assert error_of(answer, 404) == "M_UNRECOGNIZED"
        assert lan.matrix.request("OPTIONS", f"{SERVICE}/sfu/get").status == 204
        lan.supervisor("start", "appliance:rtc")
        until(lambda: lan.matrix.get(f"{SERVICE}/healthz").status == 200, "it is there again")


class TestDoctor:
    """What `appliance doctor calls` says of LiveKit and the service."""

    NAMES = ("call-discovery", "call-server", "call-token")

    def ask(self, appliance: Appliance) -> list[dict[str, str]]:
        """Return what it finds of ours, good or not."""
        script = "appliance doctor calls --json || true"
        found = json.loads(appliance.run("sh", "-c", script))
        return [one for one in found if one["check"] in self.NAMES]

    def test_all_is_well(self, lan: LanAppliance) -> None:
        found = self.ask(lan)
        assert {one["check"] for one in found} == set(self.NAMES)
        assert [one for one in found if one["verdict"] != "good"] == []

    def test_it_names_what_people_see(self, lan: LanAppliance) -> None:
        lan.expect("^rtc +.*WARNING a call cannot begin: ", "LiveKit is stopped here")
        lan.supervisor("stop", "appliance:livekit")
        wrong = {one["check"]: one for one in self.ask(lan) if one["verdict"] == "wrong"}
        lan.supervisor("start", "appliance:livekit")
        assert set(wrong) == {"call-server", "call-token"}
        for one in wrong.values():
            assert "OPEN_ID_ERROR" in one["advice"]
        until(
            lambda: all(one["verdict"] == "good" for one in self.ask(lan)), "LiveKit is there again"
        )
