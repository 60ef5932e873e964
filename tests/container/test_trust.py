"""Whom the appliance believes about a client's address: nobody, or the proxies that were named."""

import contextlib
import secrets
from collections.abc import Iterator
from ipaddress import ip_network

import docker
import pytest
from docker.models.networks import Network
from docker.types import IPAMConfig, IPAMPool

from .appliances import LanAppliance, ProxiedAppliance
from .conftest import Boot

CLIENT, OTHER, FORGED = "198.51.100.7", "198.51.100.8", "203.0.113.9"
# One of Cloudflare's published ranges: there the test's own requests come from Cloudflare.
CLOUDFLARE = "173.245.52.0/24"
OF_CLOUDFLARE = "173.245.48.5"


@contextlib.contextmanager
def cloudflare_network(client: docker.DockerClient) -> Iterator[Network]:
    """Make a network on which this machine has one of Cloudflare's addresses."""
    pool = IPAMPool(subnet=CLOUDFLARE, gateway=str(ip_network(CLOUDFLARE)[1]))
    name = f"appliance-test-{secrets.token_hex(6)}"
    network = client.networks.create(name, ipam=IPAMConfig(pool_configs=[pool]))
    try:
        yield network
    finally:
        network.remove()


@pytest.fixture(scope="module")
def proxied() -> Iterator[ProxiedAppliance]:
    networks = "172.16.0.0/12,192.168.0.0/16,cloudflare"
    with ProxiedAppliance().with_variables(MATRIX_TRUSTED_PROXIES=networks) as appliance:
        yield appliance
        assert appliance.unexpected_lines() == []


@pytest.mark.parametrize(
    ("headers", "address"),
    [
        ({"X_Forwarded_For": CLIENT}, CLIENT),
        # The proxy adds what it sees; before that stands what the client claims.
        ({"X_Forwarded_For": f"{FORGED}, {CLIENT}"}, CLIENT),
        ({"X_Forwarded_For": f"127.0.0.1,{CLIENT}"}, CLIENT),
        ({"X_Forwarded_For": f"{FORGED}, {CLIENT}, 172.18.0.9"}, CLIENT),
        ({"X_Forwarded_For": "2001:db8::7"}, "2001:db8::7"),
        ({"X_Forwarded_For": CLIENT, "CF_Connecting_IP": FORGED}, CLIENT),
        ({"X_Forwarded_For": CLIENT, "X_Real_IP": FORGED, "Forwarded": f"for={FORGED}"}, CLIENT),
        # Through Cloudflare, then through the other proxy.
        ({"X_Forwarded_For": f"{FORGED}, {OF_CLOUDFLARE}", "CF_Connecting_IP": CLIENT}, CLIENT),
        (
            {"X_Forwarded_For": f"{CLIENT}, {OF_CLOUDFLARE}", "CF_Connecting_IP": f"{FORGED},1"},
            OF_CLOUDFLARE,
        ),
    ],
)
def test_the_address_is_the_last_that_no_proxy_has(
    proxied: ProxiedAppliance, headers: dict[str, str], address: str
) -> None:
    assert proxied.alice.address_seen(**headers) == address


def test_another_proxy_is_told_apart_from_everybody_else(boot: Boot) -> None:
    """Whoever comes to the plain port without being the proxy is sent away, and told why."""
    appliance = ProxiedAppliance()
    boot(appliance)
    (gateway,) = appliance.gateways()
    for name in ("matrix", "chat"):
        answer = appliance.site(name).get("/_matrix/client/versions", X_Forwarded_For="127.0.0.1")
        assert answer.status == 403
        assert answer.body.startswith(f"{gateway} is not a proxy of this server.".encode())
        assert b"MATRIX_TRUSTED_PROXIES" in answer.body


def test_addresses_are_https_and_so_is_what_it_says(proxied: ProxiedAppliance) -> None:
    matrix, chat = f"https://matrix.{proxied.DOMAIN}", f"https://chat.{proxied.DOMAIN}"
    known = proxied.matrix.get("/.well-known/matrix/client", X_Forwarded_Proto="https")
    assert known.json()["m.homeserver"] == {"base_url": matrix}
    assert known.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert "Strict-Transport-Security" not in proxied.matrix.get("/").headers
    assert matrix.encode() in proxied.matrix.get("/").body
    moved = proxied.chat.get("/some%2Fwhere?a=b", X_Forwarded_Proto="http")
    assert (moved.status, moved.headers["Location"]) == (301, f"{chat}/some%2Fwhere?a=b")
    assert "Strict-Transport-Security" not in moved.headers
    assert proxied.is_healthy()


def test_cloudflare_is_believed_only_where_it_was_named(
    docker_client: docker.DockerClient,
) -> None:
    with cloudflare_network(docker_client) as network:
        for named, expected in (("cloudflare", CLIENT), ("", None)):
            appliance = LanAppliance().with_network(network)
            with appliance.with_variables(MATRIX_TRUSTED_PROXIES=named):
                (gateway,) = appliance.gateways()
                alice = appliance.make_account("alice")
                sent = {"CF_Connecting_IP": CLIENT, "X_Forwarded_For": f"{FORGED}, {OTHER}"}
                assert alice.address_seen(**sent) == (expected or gateway)
                assert alice.address_seen(X_Forwarded_For=FORGED) == gateway
                assert appliance.unexpected_lines() == []


def test_others_are_not_believed_where_cloudflare_is(boot: Boot) -> None:
    appliance = LanAppliance().with_variables(
        MATRIX_TRUSTED_PROXIES="cloudflare", MATRIX_MAX_UPLOAD_SIZE="200M"
    )
    boot(appliance.expect(r"MATRIX_MAX_UPLOAD_SIZE: is 200M", "Cloudflare stops it"))
    alice = appliance.make_account("alice")
    assert (
        alice.address_seen(CF_Connecting_IP=FORGED, X_Forwarded_For=FORGED) in appliance.gateways()
    )
    warning = "MATRIX_MAX_UPLOAD_SIZE: is 200M, but Cloudflare lets nothing above 100M through"
    assert f"warning      {warning}" in appliance.command("status")
    checked = appliance.run("sh", "-c", "appliance check 2>&1")
    assert f"warning: {warning}" in checked
    assert "configuration is valid" in checked
