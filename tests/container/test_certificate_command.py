"""`appliance certificate`, as the owner of a server on the internet uses it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import docker
import pytest

from .appliances import Appliance, LanAppliance, until
from .conftest import Boot
from .internet import Internet
from .internet.appliance import InternetAppliance
from .volumes import Volume


@dataclass(frozen=True)
class Outcome:
    status: int
    output: str


def certificate(appliance: Appliance, *arguments: str) -> Outcome:
    """Run `appliance certificate …` inside, whatever comes of it."""
    command = ["appliance", "certificate", *arguments]
    result = appliance.get_wrapped_container().exec_run(command)
    return Outcome(result.exit_code, result.output.decode())


def shown(appliance: Appliance) -> dict[str, Any]:
    result = certificate(appliance, "show", "--json")
    return dict(json.loads(result.output))


@pytest.fixture(scope="module")
def appliance(
    docker_client: docker.DockerClient, internet: Internet, shared: list[Appliance]
) -> Iterator[InternetAppliance]:
    """A server that has its certificate."""
    volume = Volume(docker_client)
    try:
        with InternetAppliance(internet, data=volume) as started:
            shared.append(started)
            started.wait_for_certificate()
            yield started
            shared.remove(started)
            assert started.unexpected_lines() == []
    finally:
        volume.remove()


def test_it_shows_what_there_is_and_what_is_served(appliance: InternetAppliance) -> None:
    until(  # nginx first, then coturn
        lambda: all(one["published"] for one in shown(appliance)["served"]), "all serve it"
    )
    served = appliance.certificate()
    told = shown(appliance)
    assert set(told["names"]) == {appliance.DOMAIN, f"*.{appliance.DOMAIN}"}
    assert told["serial"] == f"{served.serial_number:x}"
    assert told["not_after"] == served.not_valid_after_utc.timestamp()
    assert told["authority"] == "letsencrypt"
    assert "Pebble" in told["issuer"]
    assert [(one["address"], one["serial"], one["published"]) for one in told["served"]] == [
        ("127.0.0.1:443", told["serial"], True),
        ("127.0.0.1:8448", told["serial"], True),
        ("127.0.0.1:5349", told["serial"], True),
    ]
    assert told["problems"] == []
    text = certificate(appliance, "show")
    assert text.status == 0
    assert told["serial"] in text.output
    assert "the authority is asked at" in text.output


def test_a_new_one_comes_at_once_when_asked_for(appliance: InternetAppliance) -> None:
    before, nginx = appliance.certificate(), appliance.program("nginx").pid
    result = certificate(appliance, "renew")
    assert result.status == 0, result.output
    assert "a new certificate is served, good until" in result.output
    assert appliance.certificate() != before
    assert appliance.certificate(appliance.federation_port) == appliance.certificate()
    assert appliance.program("nginx").pid == nginx


def test_a_rehearsal_asks_staging_and_changes_nothing(appliance: InternetAppliance) -> None:
    kept = "cd /data/certificates/acme/letsencrypt && find . -type f -exec sha256sum {} + | sort"
    before, files = appliance.certificate(), appliance.run("sh", "-c", kept)
    staging = appliance.internet.staging
    orders = len(staging.calls("newOrder"))
    real = len(appliance.authority.calls("newOrder"))
    result = certificate(appliance, "test")
    assert result.status == 0, result.output
    assert "a certificate would come" in result.output
    assert len(staging.calls("newOrder")) == orders + 1
    assert len(appliance.authority.calls("newOrder")) == real
    assert appliance.certificate() == before
    assert appliance.run("sh", "-c", kept) == files
    assert appliance.domain.records("TXT") == []


def test_a_rehearsal_says_what_would_be_in_the_way(appliance: InternetAppliance) -> None:
    domain = appliance.domain
    domain.allow("zone:read", "dns_records:read")
    result = certificate(appliance, "test")
    domain.allow("zone:read", "dns_records:read", "dns_records:edit")
    assert result.status == 1
    assert f"may not change the records of {domain.name}" in result.output
    assert "Traceback" not in result.output
    assert shown(appliance)["problems"] == [], "it was a rehearsal"


def test_the_authority_is_left_alone_when_it_wants_to_be(appliance: InternetAppliance) -> None:
    wait = {"Retry-After": "3600"}
    authority, before = appliance.authority, appliance.certificate()
    with authority.refuse("newOrder", 429, "rateLimited", "too many", headers=wait):
        first = certificate(appliance, "renew")
    assert first.status == 1
    assert "was asked too often for now (too many)" in first.output
    asked = len(authority.calls("directory"))
    second = certificate(appliance, "renew")
    assert (second.status, len(authority.calls("directory"))) == (1, asked)
    assert "wants to be left alone until" in second.output
    told = certificate(appliance, "show")
    assert told.status == 1
    assert "asked too often" in told.output
    assert appliance.certificate() == before


def test_a_full_disk_costs_no_order(boot: Boot, internet: Internet) -> None:
    appliance = InternetAppliance(internet).with_tmpfs_mount("/data", "size=192m")
    boot(appliance.expect(r".", "its disk is full"))
    served = appliance.wait_for_certificate()
    orders = len(appliance.authority.calls("newOrder"))
    appliance.run("sh", "-c", "cat /dev/zero > /data/filler 2> /dev/null || true")
    result = certificate(appliance, "renew")
    assert (result.status, "the disk is full: make room" in result.output) == (1, True)
    assert len(appliance.authority.calls("newOrder")) == orders
    appliance.run("rm", "/data/filler")
    assert certificate(appliance, "renew").status == 0
    assert appliance.certificate() != served


def test_without_an_authority_to_ask_it_says_so(lan: LanAppliance, trial: Appliance) -> None:
    assert certificate(lan, "show").status == 0
    assert shown(lan)["authority"] is None
    refused = certificate(lan, "renew")
    assert refused.status == 1
    assert "no authority is asked where MATRIX_TLS_MODE=self-signed" in refused.output
    none = certificate(trial, "show")
    assert (none.status, "MATRIX_TLS_MODE=off" in none.output) == (1, True)
