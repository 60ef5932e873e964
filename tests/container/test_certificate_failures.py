"""What the owner reads when there is no certificate: for each reason one line that says what to do.

All of it happens to one appliance, which never stops to serve.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import docker
import pytest

from .appliances import until
from .internet import CLOUDFLARE, LETS_ENCRYPT, Internet
from .internet.appliance import InternetAppliance
from .volumes import Volume

TOKEN = "MATRIX_CLOUDFLARE_API_TOKEN: "
Break = Callable[[InternetAppliance], AbstractContextManager[object]]


@pytest.fixture(scope="module")
def home(docker_client: docker.DockerClient, internet: Internet) -> Iterator[InternetAppliance]:
    """An appliance that has no certificate yet."""
    data = Volume(docker_client)
    appliance = InternetAppliance(internet, data=data)
    # The names' records are another matter, with the same words: test_dns.py.
    appliance.with_variables(MATRIX_CLOUDFLARE_DNS="off")
    appliance.domain.see()
    with appliance:
        until(lambda: "problem" in told(appliance), "the first attempt has failed")
        appliance.domain.see(appliance.domain.name)
        yield appliance
    data.remove()


def told(appliance: InternetAppliance) -> str:
    return appliance.run("sh", "-c", "appliance certificate show || true")


def test_first_boot_says_it_in_the_log_too(home: InternetAppliance) -> None:
    lines = [line for line in home.logs().splitlines() if line.startswith("certificates|")]
    assert [line for line in lines if "sees no zone at all" in line] == lines[:1]


@contextmanager
def deleted_token(home: InternetAppliance) -> Iterator[None]:
    home.internet.control("set_token", value=home.domain.token, status="expired")
    try:
        yield
    finally:
        home.internet.control("set_token", value=home.domain.token, status="active")


@contextmanager
def other_rights(home: InternetAppliance, *rights: str) -> Iterator[None]:
    home.domain.allow(*rights)
    try:
        yield
    finally:
        home.domain.allow("zone:read", "dns_records:read", "dns_records:edit")


@contextmanager
def other_zones(home: InternetAppliance, *zones: str) -> Iterator[None]:
    home.domain.see(*zones)
    try:
        yield
    finally:
        home.domain.see(home.domain.name)


@contextmanager
def pending_zone(home: InternetAppliance) -> Iterator[None]:
    home.internet.control("set_zone", name=home.domain.name, status="pending")
    try:
        yield
    finally:
        home.internet.control("set_zone", name=home.domain.name, status="active")


@contextmanager
def another_zone(home: InternetAppliance) -> Iterator[None]:
    other = home.internet.new_domain().name
    with other_zones(home, other):
        yield


def cloudflare(status: int, code: int, message: str) -> Break:
    return lambda home: home.internet.refuse("zones", status, code, message)


def at_cloudflare(match: str, **how: object) -> Break:
    return lambda home: home.internet.fail(CLOUDFLARE, match, **how)


def authority(request: str, status: int, kind: str, detail: str) -> Break:
    return lambda home: home.internet.lets_encrypt.refuse(request, status, kind, detail)


def at_authority(request: str, **how: object) -> Break:
    return lambda home: home.internet.lets_encrypt.fail(request, **how)


def dns(match: str) -> Break:
    return lambda home: home.internet.fail("dns", match, status=2)


FAILURES: dict[str, tuple[Break, str]] = {
    "wrong token": (deleted_token, rf"{TOKEN}Cloudflare does not know this token \(9109"),
    "malformed token": (
        cloudflare(400, 6003, "Invalid request headers"),
        rf"{TOKEN}is not a token: give it alone, whole",
    ),
    "missing right": (
        lambda home: other_rights(home, "zone:read", "dns_records:read"),
        rf"{TOKEN}may not change the records of .*give it the permission Zone / DNS / Edit",
    ),
    "no zone": (other_zones, rf"{TOKEN}sees no zone at all.* add the domain at Cloudflare"),
    "another zone": (another_zone, rf"{TOKEN}is for .*, not for .*“Zone Resources”"),
    "zone not in use": (pending_zone, r"is pending.*set its name servers to ns\."),
    "Cloudflare is down": (
        at_cloudflare("zones", status=503, body="<html>no</html>"),
        r"Cloudflare's API is out of order \(status 503\)\. It is tried again",
    ),
    "Cloudflare hangs": (
        at_cloudflare("zones", hold=True),
        r"Cloudflare's API \(api\.cloudflare\.com\) cannot be reached: .*in time",
    ),
    "Cloudflare breaks off": (
        at_cloudflare("zones", drop=True),
        r"Cloudflare's API \(api\.cloudflare\.com\) cannot be reached: .* whether this machine",
    ),
    "record refused": (
        lambda home: home.internet.refuse("POST .*dns_records", 400, 81045, "quota exceeded"),
        r"quota exceeded",
    ),
    "authority is down": (
        at_authority("directory", status=503, body="<html>no</html>"),
        r"letsencrypt is out of order .*it is asked again",
    ),
    "authority breaks off": (
        at_authority("directory", drop=True),
        r"acme-v02\.api\.letsencrypt\.org/directory cannot be reached: see whether",
    ),
    "authority has no address": (
        lambda home: home.internet.fail("dns", f"A+ {re.escape(LETS_ENCRYPT)}", status=2),
        r"acme-v02\.api\.letsencrypt\.org/directory has no address for this machine",
    ),
    "authority is broken": (
        authority("finalize", 500, "serverInternal", "the cat is on the keyboard"),
        r"letsencrypt is out of order \(the cat is on the keyboard\); it is asked again",
    ),
    "forbidden by CAA": (
        authority("finalize", 403, "caa", "CAA record for it prevents issuance"),
        r"a CAA record in the DNS forbids letsencrypt to issue .*allow it there, or remove",
    ),
    "name refused": (
        authority("newOrder", 400, "rejectedIdentifier", "policy forbids this name"),
        r"letsencrypt does not issue for these names \(policy forbids this name\): see MATRIX_ACME",
    ),
    "something else": (
        authority("newOrder", 403, "userActionRequired", "new terms of service"),
        r"letsencrypt wants you to do something first \(new terms of service\)",
    ),
}


@pytest.mark.parametrize("reason", FAILURES)
def test_reason_is_told_in_one_line_and_all_is_served(home: InternetAppliance, reason: str) -> None:
    fail, expected = FAILURES[reason]
    with fail(home):
        assert_told(home, expected)


def assert_told(home: InternetAppliance, expected: str) -> None:
    said = home.run("sh", "-c", "! appliance certificate renew 2>&1")
    asking, line = said.strip().splitlines()
    assert asking.startswith("asking letsencrypt for ")
    assert re.search(expected, line), line
    assert line.removeprefix("appliance: ") in told(home)
    assert home.is_ready()
    assert home.domain.records("TXT") == []


def test_record_that_could_not_be_removed_is_told(home: InternetAppliance) -> None:
    with home.internet.refuse("DELETE .*dns_records/(?!0000)", 500, 1, "out of order"):
        home.run("appliance", "certificate", "renew")
    left = home.domain.records("TXT")
    assert {record.name for record in left} == {f"_acme-challenge.{home.DOMAIN}"}
    assert "remove the TXT records named _acme-challenge" in told(home)
    for record in left:
        home.domain.remove_record(record.id)
    assert home.has_certificate()


def test_certificate_of_before_stays_when_the_proof_is_not_found(home: InternetAppliance) -> None:
    served = home.certificate()
    with home.internet.fail("dns", "TXT _acme-challenge", status=2):
        assert_told(
            home,
            r"letsencrypt did not find the proof that the names are yours .*"
            r"MATRIX_ACME_PROPAGATION.*",
        )
    assert home.certificate() == served
    assert "The certificate before it stays in use, good until" in told(home)
