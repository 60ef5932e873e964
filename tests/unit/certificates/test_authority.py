import datetime
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from appliance import settings
from appliance.certificates import PairError, Source
from appliance.certificates.authority import CERTIFICATE_DAYS, ensure_certificate
from appliance.certificates.pair import judge

NOW = datetime.datetime(2030, 6, 1, tzinfo=datetime.UTC)
DAY = 86400.0


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Source:
    monkeypatch.setattr("appliance.certificates.source.DATA", str(tmp_path / "certificates"))
    return Source.of(settings.load({"MATRIX_DOMAIN": "home.lan", "MATRIX_TLS_MODE": "self-signed"}))


def ensure(source: Source, *, days: float = 0) -> bytes:
    """Have a certificate, some days after NOW."""
    ensure_certificate(source, NOW.timestamp() + days * DAY)
    return Path(source.certificate).read_bytes()


def authority(source: Source) -> x509.Certificate:
    return x509.load_pem_x509_certificate(Path(str(source.authority)).read_bytes())


def test_it_is_good_for_every_host_of_the_domain(source: Source) -> None:
    leaf = x509.load_pem_x509_certificate(ensure(source))
    store = Store([authority(source)])
    builder = PolicyBuilder().store(store).time(NOW)
    for host in ("matrix", "chat", "synapse", "turn"):
        builder.build_server_verifier(x509.DNSName(f"{host}.home.lan")).verify(leaf, [])
    builder.build_server_verifier(x509.DNSName("home.lan")).verify(leaf, [])
    with pytest.raises(VerificationError):
        builder.build_server_verifier(x509.DNSName("matrix.home.org")).verify(leaf, [])
    assert [*judge(source).facts.doubts(source.hosts)] == []


def test_the_authority_can_vouch_for_its_domain_alone(source: Source) -> None:
    ensure(source)
    constraints = authority(source).extensions.get_extension_for_class(x509.NameConstraints)
    assert constraints.critical
    assert constraints.value.permitted_subtrees == [x509.DNSName("home.lan")]
    assert [str(one.value) for one in constraints.value.excluded_subtrees or []] == [
        "0.0.0.0/0",
        "::/0",
    ]


def test_keys_are_for_root_alone(source: Source) -> None:
    ensure(source)
    for path in (Path(source.key), Path(str(source.authority)).with_name("key.pem")):
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700


def test_nothing_is_made_again_without_need(source: Source) -> None:
    first = ensure(source)
    assert ensure(source, days=CERTIFICATE_DAYS - 31) == first


def test_it_is_renewed_when_30_days_are_left_by_the_same_authority(source: Source) -> None:
    first, trusted = ensure(source), authority(source)
    second = ensure(source, days=CERTIFICATE_DAYS - 29)
    assert second != first
    assert authority(source) == trusted
    x509.load_pem_x509_certificate(second).verify_directly_issued_by(trusted)


def test_it_never_outlives_its_authority(source: Source) -> None:
    ensure(source)
    trusted = authority(source)
    late = ensure(source, days=3652 - 100)
    leaf = x509.load_pem_x509_certificate(late)
    assert leaf.not_valid_after_utc == trusted.not_valid_after_utc
    ensure(source, days=3652 - 10)
    assert authority(source) != trusted
    assert [*judge(source).facts.doubts(source.hosts)] == []


def test_a_pair_that_was_cut_off_is_made_again(source: Source) -> None:
    first = ensure(source)
    Path(source.key).write_text("")
    assert ensure(source) != first
    Path(source.certificate).unlink()
    ensure(source)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(source.certificate, source.key)


def test_a_first_boot_that_was_cut_off_makes_it_again(source: Source) -> None:
    directory = Path(str(source.authority)).parent
    directory.mkdir(parents=True)
    (directory / "key.pem").write_text("half a k")
    ensure(source)
    assert [*judge(source).facts.doubts(source.hosts)] == []


def test_an_authority_without_its_key_is_not_replaced_in_silence(source: Source) -> None:
    ensure(source)
    Path(str(source.authority)).with_name("key.pem").unlink()
    with pytest.raises(PairError, match="restore it from a backup, or delete it"):
        ensure(source)
