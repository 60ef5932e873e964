"""Zones and records through the API, page by page, and answers that do not come."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from appliance.cloudflare import Cloudflare, CloudflareError, Fault, Record, Zone, build_trust
from appliance.errors import OperationError

from .api import TOKEN, Api, run_api

NAME = "matrix.example.org"


@pytest.fixture
def cloudflare(api: Api) -> Iterator[Cloudflare]:
    with Cloudflare(TOKEN, api.address, timeout_seconds=0.3) as client:
        yield client


@pytest.fixture
def zone(api: Api) -> Zone:
    return Zone(api.add_zone("example.org"), "example.org")


def test_every_page_is_read(api: Api, cloudflare: Cloudflare, zone: Zone) -> None:
    for number in range(5):
        api.add_record(name=NAME, type="A", content=f"192.0.2.{number}")
    api.page_size = 2
    assert [record.content[-1] for record in cloudflare.records(zone, NAME)] == list("01234")
    assert sum("page=" in asked for asked in api.asked) == 4  # the last one is empty


def test_a_record_is_made_changed_and_removed(api: Api, cloudflare: Cloudflare, zone: Zone) -> None:
    made = cloudflare.create(
        zone, Record(NAME, "A", "192.0.2.1", proxied=True, comment="by a test")
    )
    assert cloudflare.records(zone, NAME) == [made]
    changed = cloudflare.change_content(zone, made, "192.0.2.2")
    assert (changed.content, changed.proxied, changed.comment) == ("192.0.2.2", True, "by a test")
    assert api.records[made.id]["ttl"] == 1
    cloudflare.delete(zone, made)
    assert cloudflare.records(zone, NAME) == []


def test_what_is_there_already_is_refused(api: Api, cloudflare: Cloudflare, zone: Zone) -> None:
    cloudflare.create(zone, Record(NAME, "A", "192.0.2.1"))
    with pytest.raises(CloudflareError, match="already exists") as caught:
        cloudflare.create(zone, Record(NAME, "A", "192.0.2.1"))
    assert (caught.value.fault, caught.value.code) == (Fault.REFUSED, 81058)


def test_an_api_that_hangs(api: Api, cloudflare: Cloudflare, zone: Zone) -> None:
    api.hang_seconds = 5
    with pytest.raises(CloudflareError, match="does not answer in time") as caught:
        cloudflare.records(zone, NAME)
    assert caught.value.fault is Fault.UNREACHABLE


def test_an_answer_that_drips(api: Api, cloudflare: Cloudflare, zone: Zone) -> None:
    api.drip = True
    with pytest.raises(CloudflareError) as caught:
        cloudflare.records(zone, NAME)
    assert caught.value.fault is Fault.UNREACHABLE


def test_it_goes_on_after_a_failure(api: Api, cloudflare: Cloudflare, zone: Zone) -> None:
    api.hang_seconds = 1
    with pytest.raises(CloudflareError):
        cloudflare.records(zone, NAME)
    api.hang_seconds = 0
    assert cloudflare.records(zone, NAME) == []


def test_trust_comes_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with run_api(context) as api:
        api.add_zone("example.org")
        with pytest.raises(CloudflareError, match="MATRIX_ACME_CA_BUNDLE") as caught:
            Cloudflare(TOKEN, api.address).find_zone("example.org")
        assert caught.value.fault is Fault.UNTRUSTED
        bundle = str(tmp_path / "ca.pem")
        authority.cert_pem.write_to_path(bundle)
        trusting = Cloudflare(TOKEN, api.address, trust=build_trust(bundle))
        assert trusting.find_zone("example.org").name == "example.org"
        monkeypatch.setenv("SSL_CERT_FILE", bundle)
        assert Cloudflare(TOKEN, api.address).find_zone("example.org").name == "example.org"


def test_a_bundle_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    for name in ("ca.pem", "missing.pem"):
        with pytest.raises(OperationError, match=name):
            build_trust(str(tmp_path / name))
