import json
import re
from itertools import combinations
from typing import Any

import pytest
import yaml

from appliance import ports, settings
from appliance.bridges.catalogue import CATALOGUE, Framework
from appliance.bridges.posts import Source, digest
from appliance.credentials import Credentials
from appliance.files import File
from appliance.machine import Component, Machine
from appliance.parts.bridges import PARTS, BridgePart
from appliance.parts.contract import Deployment

ALL = {
    "MATRIX_DOMAIN": "example.org",
    "MATRIX_TLS_MODE": "off",
    "MATRIX_BRIDGES": ",".join(bridge.name for bridge in CATALOGUE),
    "MATRIX_BRIDGE_ADMINS": "alice, @bob:matrix.example.org",
    "MATRIX_TELEGRAM_API_ID": "7654321",
    "MATRIX_TELEGRAM_API_HASH": "0123456789abcdef" * 2,
}
MAUTRIX = [bridge for bridge in CATALOGUE if bridge.framework is Framework.MAUTRIX]
OURS = [part for part in PARTS if isinstance(part, BridgePart)]
WHATSAPP = next(part for part in OURS if part.name == "whatsapp")


def deployment(environment: dict[str, str]) -> Deployment:
    components = tuple(Component(bridge.component, "v1", "built") for bridge in CATALOGUE)
    machine = Machine(2, 2**33, False, ipv6=True, jemalloc=True, components=components)
    secrets = {
        secret.name: f"secret-{secret.name}" for part in PARTS for secret in part.credentials
    }
    return Deployment(settings.load(environment), Credentials(secrets), machine)


def documents(environment: dict[str, str]) -> dict[str, Any]:
    of = deployment(environment)
    entries = [entry for part in PARTS for entry in part.files(of)]
    return {one.path: yaml.safe_load(one.content) for one in entries if isinstance(one, File)}


def registrations() -> dict[str, Any]:
    found = documents(ALL)
    return {path: one for path, one in found.items() if path.startswith("/run/synapse/")}


def test_every_token_is_another() -> None:
    tokens = [one[kind] for one in registrations().values() for kind in ("as_token", "hs_token")]
    assert len(set(tokens)) == len(tokens) == 2 * len(PARTS)


def test_namespaces_are_disjoint_and_of_this_server() -> None:
    exclusive = {
        path: [user["regex"] for user in one["namespaces"]["users"] if user["exclusive"]]
        for path, one in registrations().items()
    }
    for (one, patterns), (other, _) in combinations(exclusive.items(), 2):
        for bridge in CATALOGUE:
            for name in (bridge.bot, f"{bridge.ghosts}1555"):
                hits = [
                    path
                    for path in (one, other)
                    for pattern in exclusive[path]
                    if re.match(pattern, f"@{name}:matrix.example.org")
                ]
                assert len(hits) <= 1
        assert not any(re.match(pattern, "@alice:matrix.example.org") for pattern in patterns)


def test_a_server_name_is_no_pattern() -> None:
    (whatsapp,) = [one for path, one in registrations().items() if "whatsapp" in path]
    bot = whatsapp["namespaces"]["users"][0]["regex"]
    assert re.match(bot, "@whatsappbot:matrix.example.org")
    assert not re.match(bot, "@whatsappbot:matrixXexample.org")


def test_configuration_and_registration_agree() -> None:
    found = documents(ALL)
    for bridge in MAUTRIX:
        config = found[f"/run/bridges/{bridge.name}/config.yaml"]
        registration = found[f"/run/synapse/appservices/{bridge.name}.yaml"]
        appservice = config["appservice"]
        assert {key: registration[key] for key in ("id", "as_token", "hs_token")} == {
            key: appservice[key] for key in ("id", "as_token", "hs_token")
        }
        assert registration["url"] == appservice["address"]
        assert appservice["address"].endswith(f"127.0.0.1:{appservice['port']}")
        ghost = appservice["username_template"].replace("{{.}}", "15551234567")
        patterns = [user["regex"] for user in registration["namespaces"]["users"]]
        for name in (ghost, appservice["bot"]["username"]):
            assert any(re.match(one, f"@{name}:matrix.example.org") for one in patterns)
        assert registration["sender_localpart"] not in (ghost, appservice["bot"]["username"])


def test_only_this_servers_users_have_a_right() -> None:
    for bridge in MAUTRIX:
        config = documents(ALL)[f"/run/bridges/{bridge.name}/config.yaml"]
        assert config["bridge"]["permissions"] == {
            "matrix.example.org": "user",
            "@alice:matrix.example.org": "admin",
            "@bob:matrix.example.org": "admin",
        }
        assert config["bridge"]["relay"] == {"enabled": False}


def test_network_has_what_the_owner_gave() -> None:
    found = documents(ALL)
    assert found["/run/bridges/telegram/config.yaml"]["network"] == {
        "api_id": 7654321,
        "api_hash": "0123456789abcdef" * 2,
    }
    assert found["/run/bridges/whatsapp/config.yaml"]["network"] == {}


def test_ports_follow_the_first_one() -> None:
    found = documents({**ALL, "MATRIX_BRIDGE_PORT": "30000", "MATRIX_SYNAPSE_PORT": "8009"})
    config = found["/run/bridges/whatsapp/config.yaml"]
    assert config["appservice"]["port"] == 30018
    assert config["homeserver"]["address"] == "http://127.0.0.1:8009"


def test_bridges_post_to_where_the_agent_listens_with_the_token_by_which_it_knows_them() -> None:
    found = documents({**ALL, "MATRIX_BRIDGE_PORT": "30000"})
    source = Source.from_json(json.dumps(found["/run/bridges/posts.json"]))
    for bridge in MAUTRIX:
        config = found[f"/run/bridges/{bridge.name}/config.yaml"]
        assert config["homeserver"]["status_endpoint"] == "http://127.0.0.1:30000/bridge-status"
        assert source.posters[digest(config["appservice"]["as_token"])].name == bridge.name
    assert (source.host, source.port) == ("127.0.0.1", 30000)
    assert len(source.posters) == len(MAUTRIX)


def test_an_administrator_of_another_server_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "problems", lambda _: ())
    (problem,) = PARTS[0].problems(deployment({**ALL, "MATRIX_BRIDGE_ADMINS": "@eve:example.org"}))
    assert problem.subject == "MATRIX_BRIDGE_ADMINS"
    assert "@eve:example.org is not a user of this server" in problem.message


def test_asked_for_and_missing_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "problems", lambda _: ())
    asked = settings.load({"MATRIX_BRIDGES": "whatsapp"})
    machine = Machine(2, 2**33, False, ipv6=True, jemalloc=True)
    assert WHATSAPP.enabled(asked, machine)
    (problem,) = WHATSAPP.problems(Deployment(asked, Credentials({}), machine))
    assert problem.subject == "MATRIX_BRIDGES"
    assert "names whatsapp, but this image holds no mautrix-whatsapp" in problem.message


def test_irc_belongs_to_the_first_administrator() -> None:
    (part,) = [part for part in OURS if part.name == "heisenbridge"]
    of = deployment(ALL)
    (program,) = part.programs(of)
    assert program.command[program.command.index("-o") + 1] == "@alice:matrix.example.org"
    found = documents(ALL)
    # One file for both, with one namespace: the bridge insists.
    registration = found["/run/synapse/appservices/heisenbridge.yaml"]
    assert found["/run/bridges/heisenbridge/config.yaml"] == registration
    assert len(registration["namespaces"]["users"]) == 1
    nobody = settings.load({"MATRIX_BRIDGES": "heisenbridge"})
    (problem,) = [
        problem
        for problem in part.problems(Deployment(nobody, of.credentials, of.machine))
        if problem.subject == "MATRIX_BRIDGES"
    ]
    assert "it needs MATRIX_BRIDGE_ADMINS, the first of whom owns it" in problem.message
