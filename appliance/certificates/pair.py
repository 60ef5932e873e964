"""Whether a certificate and its key can be used. Changes nothing."""

import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from appliance.certificates.source import PairError, Source


@dataclass(frozen=True)
class Pair:
    """A chain and its key that a server can use, with what is less than perfect."""

    chain: str
    key: str
    not_before: float
    not_after: float
    warnings: tuple[str, ...]


def judge(source: Source) -> Pair:
    """Read a pair and judge it. Raise PairError if no server could use it.

    An expired one can be used: whether to go on with it is not for us to say.
    """
    chain = _read("certificate", source.certificate)
    key = _read("key", source.key)
    certificates = _parse_chain(chain, source.certificate)
    _compare(certificates, _parse_key(key, source.key), source)
    try:
        # What nginx's own library has against it, such as a key too short.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(source.certificate, source.key)
    except (ssl.SSLError, OSError) as error:
        message = f"cannot be used by a server: {error}"
        raise PairError("certificate", source.certificate, message) from error
    return Pair(
        chain,
        key,
        certificates[0].not_valid_before_utc.timestamp(),
        certificates[0].not_valid_after_utc.timestamp(),
        tuple(f"{source.certificate}: {one}" for one in _doubts(certificates, source)),
    )


def _read(file: str, path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError as error:
        raise PairError(file, path, f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        message = "is not PEM, which is text that begins with -----BEGIN"
        raise PairError(file, path, message) from error


def _parse_chain(text: str, path: str) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(text.encode())
    except ValueError as error:
        raise PairError("certificate", path, "holds no certificate in PEM form") from error


def _parse_key(text: str, path: str) -> PrivateKeyTypes:
    try:
        return load_pem_private_key(text.encode(), password=None)
    except TypeError as error:
        message = "is protected by a passphrase: nobody is there to type it, give one without"
        raise PairError("key", path, message) from error
    except ValueError as error:
        raise PairError("key", path, "holds no private key in PEM form") from error


def _compare(certificates: list[x509.Certificate], key: PrivateKeyTypes, source: Source) -> None:
    """Raise PairError unless the key is the first certificate's."""

    def encode(holder: x509.Certificate | PrivateKeyTypes) -> bytes:
        public = holder.public_key()
        return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    matches = [encode(certificate) == encode(key) for certificate in certificates]
    if not any(matches):
        message = f"is not the key of the certificate in {source.certificate}"
        raise PairError("key", source.key, message)
    if not matches[0]:
        message = "has the server's own certificate not at its beginning: put it first"
        raise PairError("certificate", source.certificate, message)


def _doubts(certificates: list[x509.Certificate], source: Source) -> list[str]:
    first = certificates[0]
    names = _names(first)
    doubts = [
        f"is not for {host}: browsers and apps refuse it there"
        for host in source.hosts
        if not any(_covers(name, host) for name in names)
    ]
    alone = len(certificates) == 1 and first.issuer != first.subject
    if alone and not source.authority:
        doubts.append(
            "holds no intermediate certificate: many clients and servers need it (use the file "
            "with the full chain)"
        )
    return doubts


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return [name.lower() for name in extension.value.get_values_for_type(x509.DNSName)]


def _covers(name: str, host: str) -> bool:
    """Return whether a name of a certificate is this host's. Source: RFC 6125, section 6.4.3."""
    return name == host or (name.startswith("*.") and host.partition(".")[2] == name[2:])
