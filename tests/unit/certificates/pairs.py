"""Certificates to test with, as an owner's own authority would make them."""

import datetime
import grp
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from appliance.certificates import Source, TlsService

NOW = datetime.datetime(2030, 6, 1, tzinfo=datetime.UTC)
# Tests may run as anybody.
OWN_GROUP = grp.getgrgid(os.getgid()).gr_name
HOSTS = ("matrix.example.org", "chat.example.org")


@dataclass(frozen=True)
class Made:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    intermediate: bytes = b""

    @property
    def chain(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM) + self.intermediate

    def key_pem(self, passphrase: bytes | None = None) -> bytes:
        protection = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection)


def make(names: tuple[str, ...] = HOSTS, *, issuer: str = "Somebody", days: int = 90) -> Made:
    """Make a certificate that began a day before NOW and ends after some days."""
    key = ec.generate_private_key(ec.SECP256R1())

    def name(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    builder = (
        x509.CertificateBuilder()
        .subject_name(name("The server"))
        .issuer_name(name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - datetime.timedelta(days=abs(days) + 1))
        .not_valid_after(NOW + datetime.timedelta(days=days))
    )
    if names:
        names_of_it = x509.SubjectAlternativeName([x509.DNSName(one) for one in names])
        builder = builder.add_extension(names_of_it, critical=False)
    return Made(builder.sign(key, hashes.SHA256()), key)


def owned(directory: Path, *, mode: str = "files") -> Source:
    """Return the source of an owner's own files in a directory."""
    return Source(
        mode=mode,
        domain="example.org",
        hosts=HOSTS,
        certificate=str(directory / "fullchain.pem"),
        key=str(directory / "privkey.pem"),
        services=(TlsService("nginx", OWN_GROUP, "HUP", ("127.0.0.1:443",)),),
        lasting=True,
    )


def put(source: Source, chain: bytes, key: bytes) -> None:
    """Write a pair where a source says."""
    Path(source.certificate).write_bytes(chain)
    Path(source.key).write_bytes(key)
