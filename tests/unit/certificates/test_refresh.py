import grp
import os
import ssl
from dataclasses import replace
from pathlib import Path

import pytest

from appliance import settings
from appliance.certificates import PairError, Publication, Source, ensure, refresh

from .pairs import NOW, OWN_GROUP, Made, make, owned, put

AT = NOW.timestamp()
DAY = 86400.0


@pytest.fixture
def source(tmp_path: Path) -> Source:
    directory = tmp_path / "owner"
    directory.mkdir()
    return owned(directory)


@pytest.fixture
def publication(tmp_path: Path) -> Publication:
    return Publication(str(tmp_path / "tls"))


def put_good(source: Source, *, days: int = 90) -> Made:
    made = replace(make(days=days), intermediate=make(issuer="The root").chain)
    put(source, made.chain, made.key_pem())
    return made


def published(publication: Publication) -> tuple[bytes, bytes]:
    directory = publication.certificate(OWN_GROUP).parent
    return (directory / "fullchain.pem").read_bytes(), (directory / "privkey.pem").read_bytes()


def test_what_was_judged_is_published(source: Source, publication: Publication) -> None:
    made = put_good(source)
    state = refresh(source, publication, AT)
    assert published(publication) == (made.chain, made.key_pem())
    assert not state.served
    assert [*state.describe(AT)] == []
    assert state.summarize(AT) == "good until 30 August 2030"
    key = publication.certificate(OWN_GROUP).with_name("privkey.pem")
    assert key.stat().st_mode & 0o777 == 0o640
    assert key.parent.stat().st_mode & 0o777 == 0o750


def test_a_second_run_changes_nothing(source: Source, publication: Publication) -> None:
    put_good(source)
    state = refresh(source, publication, AT)
    inode = publication.certificate(OWN_GROUP).stat().st_ino
    assert refresh(source, publication, AT) == state
    assert publication.certificate(OWN_GROUP).stat().st_ino == inode


def test_a_new_pair_replaces_the_old_one(
    source: Source, publication: Publication, tmp_path: Path
) -> None:
    put_good(source)
    first = refresh(source, publication, AT)
    publication.write_state(replace(first, served=True))
    made = put_good(source)
    second = refresh(source, publication, AT)
    assert second.published != first.published
    assert not second.served
    assert published(publication) == (made.chain, made.key_pem())
    directories = [path for path in (tmp_path / "tls").iterdir() if path.is_dir()]
    assert {path.resolve().name for path in directories} == {second.published}


def test_a_file_that_was_only_touched_needs_no_reload(
    source: Source, publication: Publication
) -> None:
    put_good(source)
    publication.write_state(replace(refresh(source, publication, AT), served=True))
    os.utime(source.certificate, (1, 1))
    assert refresh(source, publication, AT).served


def test_a_broken_pair_leaves_the_one_before(source: Source, publication: Publication) -> None:
    made = put_good(source)
    publication.write_state(replace(refresh(source, publication, AT), served=True))
    Path(source.key).write_bytes(make().key_pem())
    state = refresh(source, publication, AT)
    assert published(publication) == (made.chain, made.key_pem())
    assert state.served
    (complaint,) = state.describe(AT)
    assert "is not the key of the certificate" in complaint
    assert "stays in use, good until 30 August 2030" in complaint
    assert refresh(source, publication, AT) == state
    put(source, made.chain, made.key_pem())
    assert [*refresh(source, publication, AT).describe(AT)] == []


def test_a_broken_pair_with_nothing_before_it_fails(
    source: Source, publication: Publication
) -> None:
    put(source, make().chain, make().key_pem())
    with pytest.raises(PairError):
        refresh(source, publication, AT)
    assert publication.read_state() is None


@pytest.mark.parametrize(
    ("days", "later", "complaint"),
    [
        (90, 0, None),
        (90, 75, None),
        (90, 77, "expires on 30 August 2030"),
        (90, 91, "expired on 30 August 2030"),
        # A certificate of six days need not be renewed two weeks before.
        (3, 1, None),
        (3, 2.9, "expires on 04 June 2030"),
    ],
)
def test_the_end_is_told_in_time(
    source: Source, publication: Publication, days: int, later: float, complaint: str | None
) -> None:
    put_good(source, days=days)
    state = refresh(source, publication, AT)
    told = [*state.describe(AT + later * DAY)]
    assert len(told) == (1 if complaint else 0)
    assert complaint is None or complaint in told[0]


def test_an_own_certificate_is_renewed_by_the_clock(
    tmp_path: Path, publication: Publication, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("appliance.certificates.source.DATA", str(tmp_path / "certificates"))
    loaded = settings.load({"MATRIX_DOMAIN": "home.lan", "MATRIX_TLS_MODE": "self-signed"})
    source = Source.of(loaded, owned(tmp_path).services)
    first = refresh(source, publication, AT)
    authority = publication.certificate(OWN_GROUP).with_name("ca.pem").read_text()
    assert refresh(source, publication, AT + 360 * DAY) == first
    second = refresh(source, publication, AT + 370 * DAY)
    assert second.published != first.published
    assert publication.certificate(OWN_GROUP).with_name("ca.pem").read_text() == authority


def test_nothing_changed_is_not_judged_again(
    source: Source, publication: Publication, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_good(source)
    state = refresh(source, publication, AT)
    monkeypatch.delattr("appliance.certificates.pair.judge")
    assert refresh(source, publication, AT) == state
    os.utime(source.key, (1, 1))
    with pytest.raises(AttributeError):
        refresh(source, publication, AT)


def test_a_trial_has_no_certificate() -> None:
    assert ensure(settings.load({}), ()) is False


def test_the_source_survives_being_written_down(source: Source) -> None:
    assert Source.from_json(source.to_json()) == source


def strict_transport(publication: Publication) -> str:
    return (publication.certificate(OWN_GROUP).parent.parent / "strict-transport.conf").read_text()


def test_each_group_has_a_copy_of_its_own(source: Source, publication: Publication) -> None:
    made = put_good(source)
    first = source.services[0]
    other = grp.getgrgid(0).gr_name
    source = replace(source, services=(first, replace(first, program="turn", group=other)))
    refresh(source, publication, AT)
    assert publication.certificate(other).read_bytes() == made.chain
    assert publication.certificate(other).with_name("privkey.pem").stat().st_gid == 0
    assert publication.certificate(OWN_GROUP).read_bytes() == made.chain


def test_browsers_remember_a_certificate_that_lasts(
    source: Source, publication: Publication
) -> None:
    put_good(source)
    refresh(source, publication, AT)
    assert 'https "max-age=31536000";' in strict_transport(publication)
    put_good(source)
    refresh(replace(source, lasting=False), publication, AT)
    assert 'https "";' in strict_transport(publication)


def test_browsers_do_not_remember_a_certificate_that_its_holder_signed(
    source: Source, publication: Publication
) -> None:
    made = make(issuer="The server")
    put(source, made.chain, made.key_pem())
    refresh(source, publication, AT)
    assert 'https "";' in strict_transport(publication)


@pytest.fixture
def ordered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Source:
    monkeypatch.setattr("appliance.certificates.source.DATA", str(tmp_path / "certificates"))
    loaded = settings.load(
        {
            "MATRIX_DOMAIN": "example.org",
            "MATRIX_ACME_EMAIL": "owner@example.org",
            "MATRIX_CLOUDFLARE_API_TOKEN": "a-token",
            "MATRIX_TURN": "no",  # else a certificate has to hold turn.example.org too
        }
    )
    return Source.of(loaded, owned(tmp_path).services)


def put_issued(source: Source) -> Made:
    Path(source.certificate).parent.mkdir(parents=True, exist_ok=True)
    return put_good(source)


def test_a_placeholder_is_served_until_there_is_a_certificate(
    ordered: Source, publication: Publication
) -> None:
    state = refresh(ordered, publication, AT)
    assert state.placeholder
    assert 'https "";' in strict_transport(publication)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    directory = publication.certificate(OWN_GROUP).parent
    context.load_cert_chain(directory / "fullchain.pem", directory / "privkey.pem")
    assert refresh(ordered, publication, AT + DAY) == state

    made = put_issued(ordered)
    state = refresh(ordered, publication, AT)
    assert not state.placeholder
    assert published(publication) == (made.chain, made.key_pem())
    assert 'https "max-age=31536000";' in strict_transport(publication)


def test_a_stored_certificate_is_not_judged_again_at_the_next_boot(
    ordered: Source, publication: Publication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_issued(ordered)
    first = refresh(ordered, publication, AT)
    monkeypatch.delattr("appliance.certificates.pair.judge")
    second = refresh(ordered, Publication(str(tmp_path / "of the next boot")), AT)
    assert second == first
    put_issued(ordered)
    with pytest.raises(AttributeError):
        refresh(ordered, publication, AT)


def test_a_damaged_stored_certificate_does_not_stop_the_servers(
    ordered: Source, publication: Publication
) -> None:
    put_issued(ordered)
    Path(ordered.key).write_bytes(b"")
    state = refresh(ordered, publication, AT)
    assert state.placeholder
    assert "holds no private key" in state.problem


def test_a_stored_certificate_that_went_away_stays_in_use(
    ordered: Source, publication: Publication
) -> None:
    made = put_issued(ordered)
    refresh(ordered, publication, AT)
    Path(ordered.certificate).unlink()
    Path(ordered.key).unlink()
    assert not refresh(ordered, publication, AT).placeholder
    assert published(publication) == (made.chain, made.key_pem())


def test_authorities_do_not_share_a_directory() -> None:
    def directory(server: str) -> str:
        given = {
            "MATRIX_DOMAIN": "example.org",
            "MATRIX_ACME_EMAIL": "owner@example.org",
            "MATRIX_CLOUDFLARE_API_TOKEN": "a-token",
            "MATRIX_ACME_SERVER": server,
        }
        order = Source.of(settings.load(given)).order
        assert order is not None
        return order.directory

    servers = ("letsencrypt", "staging", "https://ca.lan/a/directory", "https://ca.lan/b/directory")
    assert len({directory(server) for server in servers}) == 4
    assert directory("staging") == "/data/certificates/acme/staging"
    assert directory("https://ca.lan/a/directory").startswith("/data/certificates/acme/ca.lan-")


def test_a_good_certificate_of_another_authority_is_used_meanwhile(
    ordered: Source, publication: Publication, tmp_path: Path
) -> None:
    def kept_by(authority: str) -> Source:
        lineage = Path(str(ordered.certificate).replace("letsencrypt", authority)).parent
        chain, key = str(lineage / "fullchain.pem"), str(lineage / "privkey.pem")
        return replace(ordered, certificate=chain, key=key)

    put_issued(kept_by("staging"))
    assert refresh(ordered, publication, AT).placeholder, "which nobody trusts either"
    made = put_issued(kept_by("ca.lan-1"))
    Path(kept_by("broken").key).parent.mkdir(parents=True)
    state = refresh(ordered, Publication(str(tmp_path / "next boot")), AT)
    assert not state.placeholder
    assert state.facts.serial == f"{made.certificate.serial_number:x}"
    assert refresh(ordered, Publication(str(tmp_path / "late")), AT + 91 * DAY).placeholder
