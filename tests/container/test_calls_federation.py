"""Users of another server: they join a call that ours have begun, and can begin none.

The other server is a second appliance, found by its name as on the internet.
"""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from appliance.settings.homeserver import DENIED_RANGES

from .appliances import LanAppliance, until
from .browser import build_client
from .caller import Caller, open_calls
from .calls import SERVICE, claims, device_body, member_body, post, validate
from .http_client import Account
from .internet import Domain, Internet
from .internet.machine import POOL

BUNDLE = "/etc/ssl/certs/ca-certificates.crt"


class Neighbour(LanAppliance):
    """A server on the internet of the tests, with a certificate authority of its own."""

    def __init__(self, internet: Internet, name: str) -> None:
        self.DOMAIN = name
        super().__init__(dns=[internet.address])
        self._kwargs["network"] = internet.network.name
        self.with_variables(
            MATRIX_FEDERATION="on",
            MATRIX_PUBLIC_IP="none",
            MATRIX_BRIDGES="none",
            MATRIX_TURN="no",
            # All but the range that the tests' internet is in.
            MATRIX_DENIED_RANGES=",".join(map(str, set(DENIED_RANGES) - {POOL})),
        )


@dataclass
class Scene:
    """A server, the other one, and somebody on each."""

    internet: Internet
    domain: Domain
    leads_there: str
    """The record by which the other one's name leads to it."""
    ours: LanAppliance
    other: LanAppliance
    alice: Account
    bob: Account

    def name_call(self) -> str:
        """Return a room that nobody has called in."""
        return f"!{secrets.token_hex(8)}:{self.ours.server_name}"


@pytest.fixture(scope="module")
def scene(internet: Internet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    domain = internet.new_domain()
    bundle = tmp_path_factory.mktemp("trust") / "bundle.pem"
    neighbour = Neighbour(internet, domain.name).with_variables(MATRIX_SERVER_NAME=domain.name)
    with neighbour as other:
        leads_there = domain.add_record("A", "@", other.local_address())
        domain.add_record("A", "matrix", other.local_address())
        domain.add_record("A", "inside", "127.0.0.1")
        domain.add_record("A", "private", "10.0.0.1")
        bundle.write_text(other.ca_certificate)
        bundle.chmod(0o644)
        ours = Neighbour(internet, "home.lan").with_volume_mapping(bundle, BUNDLE, "ro")
        with ours:
            people = ours.make_account("alice"), other.make_account("bob")
            yield Scene(internet, domain, leads_there, ours, other, *people)
            assert ours.unexpected_lines() == []
        assert other.unexpected_lines() == []


def test_they_join_and_begin_nothing(scene: Scene) -> None:
    room, site = scene.name_call(), scene.ours.matrix
    token = post(site, "/get_token", member_body(scene.bob, room)).json()["jwt"]
    assert claims(token)["video"]["roomCreate"] is False
    assert validate(site, token).status == 404
    assert post(site, "/sfu/get", device_body(scene.alice, room)).status == 200
    assert validate(site, token).status == 200


def test_they_cannot_delegate(scene: Scene) -> None:
    room, site = scene.name_call(), scene.ours.matrix
    delay = {"delay_id": "syd_x", "delay_timeout": 1000}
    answer = post(site, "/delegate_delayed_leave", member_body(scene.bob, room, **delay))
    assert (answer.status, answer.json()["errcode"]) == (403, "M_FORBIDDEN")
    for endpoint, body in (("/sfu/get", device_body), ("/get_token", member_body)):
        answer = post(site, endpoint, body(scene.bob, room, **delay))
        assert (answer.status, answer.json()["errcode"]) == (400, "M_BAD_JSON")


def test_no_server_speaks_for_another(scene: Scene) -> None:
    room, site = scene.name_call(), scene.ours.matrix
    body = device_body(scene.bob, room)
    # A token of theirs is none of ours, and ours is none of theirs.
    body["openid_token"]["matrix_server_name"] = scene.ours.server_name
    assert post(site, "/sfu/get", body).status == 401
    body = device_body(scene.alice, room)
    body["openid_token"]["matrix_server_name"] = scene.other.server_name
    assert post(site, "/sfu/get", body).status == 401


@pytest.mark.parametrize(
    "name",
    [
        *("inside.{}", "inside.{}:8008", "private.{}:443", "nobody.{}", "127.0.0.1:8008"),
        *("[::1]:8008", "169.254.169.254", "matrix.{}:1", "matrix.{}/../x", "@", "a..b", "x" * 300),
    ],
)
def test_a_name_that_leads_inside_or_nowhere_is_refused(scene: Scene, name: str) -> None:
    body = device_body(scene.alice, scene.name_call())
    body["openid_token"]["matrix_server_name"] = name.format(scene.other.DOMAIN)
    answer = post(scene.ours.matrix, "/sfu/get", body)
    assert (answer.status, answer.json()["errcode"]) == (401, "M_UNAUTHORIZED")


def test_a_server_without_well_known_is_found_by_its_service_record(scene: Scene) -> None:
    room, site, name = scene.name_call(), scene.ours.matrix, scene.domain.name
    scene.domain.remove_record(scene.leads_there)
    # What was found is remembered for a while.
    scene.ours.supervisor("restart", "appliance:rtc")
    until(lambda: site.get(f"{SERVICE}/healthz").status == 200, "the service is there again")
    assert post(site, "/sfu/get", device_body(scene.bob, room)).status == 401
    scene.domain.add_record("SRV", "_matrix-fed._tcp", f"10 5 8448 matrix.{name}")
    scene.ours.supervisor("restart", "appliance:rtc")
    until(lambda: site.get(f"{SERVICE}/healthz").status == 200, "the service is there again")
    assert post(site, "/sfu/get", device_body(scene.bob, room)).status == 200
    assert scene.internet.calls("dns", rf"^SRV _matrix-fed\._tcp\.{name}$")


def test_both_see_each_other(scene: Scene) -> None:
    build_client()
    room, site = scene.name_call(), scene.ours.matrix
    people = (scene.alice, scene.bob)
    tokens = [post(site, "/get_token", member_body(one, room)).json() for one in people]
    with open_calls(scene.ours) as browser:
        callers = [Caller(browser, scene.ours) for _ in people]
        for caller, token in zip(callers, tokens, strict=True):
            caller.do("enter", token["url"], token["jwt"])
        for caller in callers:
            until(caller.hears_and_sees, "sound and picture of the other", 90)
