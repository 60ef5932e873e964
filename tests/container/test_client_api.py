"""What every client asks of the server, by plain requests at the public addresses."""

import json
import os
import secrets

import pytest

from .appliances import Appliance, LanAppliance
from .conftest import Boot
from .http_client import Account, RefusedError, ask

LIMIT = 1024**2
SLIDING_SYNC = "/unstable/org.matrix.simplified_msc3575/sync"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/_matrix/client/v3/login"),
        ("GET", "/_matrix/client/v3/sync"),
        ("PUT", "/_matrix/client/v3/rooms/!room/send/m.room.message/1"),
        ("POST", "/_matrix/media/v3/upload"),
        ("GET", "/_matrix/client/v1/media/download/server/id"),
        ("POST", f"/_matrix/client{SLIDING_SYNC}"),
    ],
)
def test_browser_on_chat_may_ask(lan: LanAppliance, method: str, path: str) -> None:
    asked = {
        "Origin": lan.chat.url,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    allowed = lan.matrix.request("OPTIONS", path, headers=asked)
    assert allowed.status in (200, 204)
    assert allowed.headers["Access-Control-Allow-Origin"] in ("*", lan.chat.url)
    assert method in allowed.headers["Access-Control-Allow-Methods"]
    names = allowed.headers["Access-Control-Allow-Headers"].lower()
    assert "authorization" in names
    assert "content-type" in names
    assert int(allowed.headers["Access-Control-Max-Age"]) >= 3600


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/_matrix/client/versions", 200),
        ("/_matrix/client/v3/account/whoami", 401),
        ("/_matrix/client/v3/nothing", 404),
        ("/.well-known/matrix/client", 200),
    ],
)
def test_browser_on_chat_may_read_every_answer(lan: LanAppliance, path: str, status: int) -> None:
    answer = lan.matrix.get(path, Origin=lan.chat.url)
    assert answer.status == status
    assert answer.headers["Access-Control-Allow-Origin"] in ("*", lan.chat.url)


def test_sliding_sync_brings_rooms_and_waits_for_messages(trial: Appliance) -> None:
    alice, bob = Account.register(trial.matrix), Account.register(trial.matrix)
    room = alice.create_room(name="A room", invite=[bob.user_id])
    bob.ask("POST", f"/v3/join/{room}", {})
    alice.send(room, "before")
    wanted = {
        "conn_id": "test",
        "lists": {
            "all": {
                "ranges": [[0, 20]],
                "required_state": [["m.room.name", ""]],
                "timeline_limit": 5,
            }
        },
        "extensions": {"to_device": {"enabled": True}, "e2ee": {"enabled": True}},
    }
    first = bob.ask("POST", SLIDING_SYNC, wanted)
    assert first["lists"]["all"]["count"] == 1
    assert first["rooms"][room]["name"] == "A room"
    assert first["rooms"][room]["timeline"][-1]["content"]["body"] == "before"
    assert "device_one_time_keys_count" in first["extensions"]["e2ee"]

    sent = alice.send(room, "after")
    second = bob.ask("POST", f"{SLIDING_SYNC}?pos={first['pos']}&timeout=10000", wanted)
    assert second["rooms"][room]["timeline"][-1]["event_id"] == sent


def test_file_at_the_limit_is_stored(trial: Appliance) -> None:
    alice = Account.register(trial.matrix)
    content = os.urandom(LIMIT)
    stored = alice.upload(content)
    assert stored.status == 200, stored
    assert alice.download(stored.json()["content_uri"]).body == content
    assert alice.ask("GET", "/v1/media/config")["m.upload.size"] == LIMIT


def test_file_over_the_limit_is_refused_in_words_that_clients_know(trial: Appliance) -> None:
    trial.expect(r"nginx .*client intended to send too large body", "a file over the limit")
    refused = Account.register(trial.matrix).upload(os.urandom(LIMIT + 1))
    assert refused.status == 413
    assert refused.json()["errcode"] == "M_TOO_LARGE"
    assert refused.headers["Access-Control-Allow-Origin"] == "*"


def test_a_token_lets_exactly_one_register(lan: LanAppliance) -> None:
    with pytest.raises(RefusedError) as refused:
        Account.register(lan.matrix)
    assert refused.value.answer.status == 401
    flows = refused.value.answer.json()["flows"]
    assert all("m.login.registration_token" in flow["stages"] for flow in flows)

    token = json.loads(lan.command("invite", "--json"))["token"]
    assert Account.register(lan.matrix, token=token).user_id.endswith(":matrix.home.lan")
    for bad in (token, "of-my-own"):
        with pytest.raises(RefusedError, match="Invalid registration token"):
            Account.register(lan.matrix, token=bad)


def test_closed_registration_refuses_whom_the_owner_did_not_make(boot: Boot) -> None:
    appliance = boot(Appliance().with_variables(MATRIX_REGISTRATION="closed"))
    with pytest.raises(RefusedError) as refused:
        Account.register(appliance.matrix)
    assert (refused.value.answer.status, refused.value.code) == (403, "M_FORBIDDEN")
    assert appliance.make_account("made-by-the-owner").create_room()


def test_the_address_of_a_client_is_its_own_and_not_what_it_claims(trial: Appliance) -> None:
    alice = Account.register(trial.matrix)
    spoofed = {**alice.authorization, "X-Forwarded-For": "203.0.113.7"}
    ask(trial.matrix, "GET", "/_matrix/client/v3/account/whoami", None, spoofed)
    seen = alice.ask("GET", f"/v3/admin/whois/{alice.user_id}")
    connections = [
        connection
        for device in seen["devices"].values()
        for session in device["sessions"]
        for connection in session["connections"]
    ]
    # Published ports come from the gateway of Docker's network.
    assert {connection["ip"] for connection in connections} == trial.gateways()


@pytest.mark.parametrize(
    "path",
    [
        "/_synapse/admin/v1/server_version",
        "/_synapse/admin/v1/register",
        "//_synapse/admin/v1/server_version",
        "/_matrix/../_synapse/admin/v1/server_version",
        "/_matrix/%2e%2e/_synapse/admin/v1/server_version",
        "/_matrix/..%2f_synapse/admin/v1/server_version",
        "/_synapse/client/..%2fadmin/v1/server_version",
        "/_synapse/admin/v2/users/..%2f..%2f..%2f..%2f_matrix%2f",
    ],
)
def test_the_admin_api_is_closed(trial: Appliance, path: str) -> None:
    admin = trial.make_account(f"admin-{secrets.token_hex(4)}", admin=True)
    answer = trial.matrix.request("GET", path, headers=admin.authorization)
    assert answer.status in (400, 404)
    assert b"server_version" not in answer.body


def test_the_admin_api_is_open_to_ranges_that_are_named(boot: Boot) -> None:
    appliance = boot(Appliance().with_variables(MATRIX_ADMIN_API_RANGES="0.0.0.0/0"))
    admin = appliance.make_account("admin", admin=True)
    path = "/_synapse/admin/v2/users"
    assert appliance.matrix.request("GET", path, headers=admin.authorization).status == 200
    assert appliance.matrix.get(path).status == 401


@pytest.mark.parametrize("path", ["/_matrix/federation/v1/version", "/_matrix/key/v2/server"])
def test_a_server_that_does_not_federate_answers_no_server(trial: Appliance, path: str) -> None:
    answer = trial.matrix.get(path)
    assert (answer.status, answer.json()["errcode"]) == (404, "M_UNRECOGNIZED")


def test_published_room_is_found_by_others(trial: Appliance) -> None:
    alice, bob = Account.register(trial.matrix), Account.register(trial.matrix)
    room = alice.create_room(visibility="public", preset="public_chat", name="Everybody")
    found = bob.ask("POST", "/v3/publicRooms", {"filter": {"generic_search_term": "Everybody"}})
    assert room in [entry["room_id"] for entry in found["chunk"]]
