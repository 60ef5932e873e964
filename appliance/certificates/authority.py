"""The appliance's own certificate authority, kept in `/data/certificates`, and what it issues.

Its key never leaves a directory that root alone can read.
"""

import datetime
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from appliance.certificates.source import RENEW_SECONDS, PairError, Source
from appliance.files import write_atomically

AUTHORITY_DAYS = 3652
# Browsers refuse more. Source: CA/Browser Forum, Baseline Requirements, 6.3.2.
CERTIFICATE_DAYS = 397
_EARLIER = datetime.timedelta(hours=1)  # clocks of other devices
_RENEW = datetime.timedelta(seconds=RENEW_SECONDS)
# No address at all. Source: RFC 5280, section 4.2.1.10.
_EVERY_ADDRESS = [x509.IPAddress(ip_network(network)) for network in ("0.0.0.0/0", "::/0")]


@dataclass(frozen=True)
class Authority:
    """A certificate that signs, and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def ensure_certificate(source: Source, now: float) -> None:
    """Have a certificate of our own authority where the source says, with 30 days left at least."""
    moment = datetime.datetime.fromtimestamp(now, datetime.UTC)
    authority = _ensure_authority(Path(str(source.authority)), source.domain, moment)
    # Each by its own name too: not everything accepts a wildcard directly below a short domain.
    names = [*source.hosts, source.domain, f"*.{source.domain}"]
    if not _is_good(source, authority, names, moment):
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _issue(authority, key, names, moment)
        _keep(Path(source.key), _to_pem(key), Path(source.certificate), certificate)


def _ensure_authority(path: Path, domain: str, moment: datetime.datetime) -> Authority:
    key_path = path.with_name("key.pem")
    if path.exists():
        authority = _load(path, key_path)
        if authority.certificate.not_valid_after_utc - moment > _RENEW:
            return authority
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _sign_itself(key, domain, moment)
    _keep(key_path, _to_pem(key), path, certificate)
    return Authority(certificate, key)


def _load(path: Path, key_path: Path) -> Authority:
    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
        key = load_pem_private_key(key_path.read_bytes(), password=None)
    except (OSError, ValueError) as error:
        raise PairError(
            "certificate",
            str(path.parent),
            f"is damaged ({error}): restore it from a backup, or delete it for a new authority, "
            "which every device has to trust anew",
        ) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise PairError("key", str(key_path), "is not the key that the appliance made")
    return Authority(certificate, key)


def _sign_itself(
    key: ec.EllipticCurvePrivateKey, domain: str, moment: datetime.datetime
) -> x509.Certificate:
    """Make the authority's certificate: good for the domain alone, whoever gets hold of its key."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{domain} (matrix-appliance)"[:64])])
    public = key.public_key()
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(moment - _EARLIER)
        .not_valid_after(moment + datetime.timedelta(days=AUTHORITY_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(x509.NameConstraints([x509.DNSName(domain)], _EVERY_ADDRESS), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .sign(key, hashes.SHA256())
    )


def _issue(
    authority: Authority,
    key: ec.EllipticCurvePrivateKey,
    names: list[str],
    moment: datetime.datetime,
) -> x509.Certificate:
    public, signer = key.public_key(), authority.certificate
    end = moment + datetime.timedelta(days=CERTIFICATE_DAYS)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])]))
        .issuer_name(signer.subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(moment - _EARLIER)
        .not_valid_after(min(end, signer.not_valid_after_utc))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()),
            critical=False,
        )
        .sign(authority.key, hashes.SHA256())
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _is_good(
    source: Source, authority: Authority, names: list[str], moment: datetime.datetime
) -> bool:
    """Return whether what is there is whole, ours, for these names and not due."""
    try:
        certificate = x509.load_pem_x509_certificate(Path(source.certificate).read_bytes())
        key = load_pem_private_key(Path(source.key).read_bytes(), password=None)
        certificate.verify_directly_issued_by(authority.certificate)
        held = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (OSError, ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False
    return (
        key.public_key() == certificate.public_key()
        and held.value.get_values_for_type(x509.DNSName) == names
        and certificate.not_valid_after_utc - moment > _RENEW
    )


def _to_pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _keep(key_path: Path, key: str, path: Path, certificate: x509.Certificate) -> None:
    """Write both, the key first: a certificate that is there has its key."""
    for directory in (path.parent.parent, path.parent):
        directory.mkdir(mode=0o700, exist_ok=True)
    write_atomically(key_path, key, mode=0o600, durable=True)
    text = certificate.public_bytes(Encoding.PEM).decode()
    write_atomically(path, text, mode=0o644, durable=True)
