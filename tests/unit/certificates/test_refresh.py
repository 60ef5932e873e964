import grp
import os
from dataclasses import replace
from pathlib import Path

import pytest

from appliance import settings
from appliance.certificates import PairError, Publication, Source, ensure, refresh

from .pairs import NOW, Made, make, owned, put

AT = NOW.timestamp()
DAY = 86400.0


@pytest.fixture
def source(tmp_path: Path) -> Source:
    directory = tmp_path / "owner"
    directory.mkdir()
    return owned(directory)


@pytest.fixture
def publication(tmp_path: Path) -> Publication:
    return Publication(str(tmp_path / "tls"), grp.getgrgid(os.getgid()).gr_name)


def put_good(source: Source, *, days: int = 90) -> Made:
    made = make(issuer="The server", days=days)
    put(source, made.chain, made.key_pem())
    return made


def published(publication: Publication) -> tuple[bytes, bytes]:
    directory = publication.certificate.parent
    return (directory / "fullchain.pem").read_bytes(), (directory / "privkey.pem").read_bytes()


def test_what_was_judged_is_published(source: Source, publication: Publication) -> None:
    made = put_good(source)
    state = refresh(source, publication, AT)
    assert published(publication) == (made.chain, made.key_pem())
    assert not state.served
    assert [*state.describe(AT)] == []
    assert state.summarize(AT) == "good until 30 August 2030"
    key = publication.certificate.with_name("privkey.pem")
    assert key.stat().st_mode & 0o777 == 0o640
    assert key.parent.stat().st_mode & 0o777 == 0o750


def test_a_second_run_changes_nothing(source: Source, publication: Publication) -> None:
    put_good(source)
    state = refresh(source, publication, AT)
    inode = publication.certificate.stat().st_ino
    assert refresh(source, publication, AT) == state
    assert publication.certificate.stat().st_ino == inode


def test_a_new_pair_replaces_the_old_one(source: Source, publication: Publication) -> None:
    put_good(source)
    first = refresh(source, publication, AT)
    publication.write_state(replace(first, served=True))
    made = put_good(source)
    second = refresh(source, publication, AT)
    assert second.published != first.published
    assert not second.served
    assert published(publication) == (made.chain, made.key_pem())
    directories = [
        path for path in publication.certificate.parent.parent.iterdir() if path.is_dir()
    ]
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
    assert "stays in use" in complaint
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
    source = Source.of(loaded)
    first = refresh(source, publication, AT)
    authority = publication.certificate.with_name("ca.pem").read_text()
    assert refresh(source, publication, AT + 360 * DAY) == first
    second = refresh(source, publication, AT + 370 * DAY)
    assert second.published != first.published
    assert publication.certificate.with_name("ca.pem").read_text() == authority


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
    assert ensure(settings.load({})) is False


def test_the_source_survives_being_written_down(source: Source) -> None:
    assert Source.from_json(source.to_json()) == source


@pytest.mark.parametrize(
    ("listen", "address"),
    [
        ("0.0.0.0,::", "127.0.0.1:443"),
        ("::,192.0.2.7", "192.0.2.7:443"),
        ("::", "[::1]:443"),
        ("2001:db8::7", "[2001:db8::7]:443"),
    ],
)
def test_nginx_is_asked_where_it_listens(listen: str, address: str) -> None:
    environment = {
        "MATRIX_DOMAIN": "home.lan",
        "MATRIX_TLS_MODE": "self-signed",
        "MATRIX_LISTEN": listen,
    }
    assert Source.of(settings.load(environment)).address == address
