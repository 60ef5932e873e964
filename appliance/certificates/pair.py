"""Whether a certificate and its key can be used. Changes nothing."""

import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from appliance.certificates.facts import Facts, Pair
from appliance.certificates.source import PairError, Source


def judge(source: Source) -> Pair:
    """Read a pair and judge it. Raise PairError if no server could use it.

    An expired one can be used: whether to go on with it is not for us to say.
    """
    chain, certificates = _read_chain(source)
    key, private = _read_key(source)
    _compare(certificates, private, source)
    try:
        # What nginx's own library has against it, such as a key too short.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(source.certificate, source.key)
    except (ssl.SSLError, OSError) as error:
        message = f"cannot be used by a server: {error}"
        raise PairError("certificate", source.certificate, message) from error
    return Pair(chain, key, describe(certificates, own_authority=source.authority is not None))


def find_faults(source: Source) -> list[PairError]:
    """Return everything that makes a pair useless, what each file has by itself at once."""
    faults = []
    for read in (_read_chain, _read_key):
        try:
            read(source)
        except PairError as error:
            faults.append(error)
    if not faults:
        try:
            judge(source)
        except PairError as error:
            faults.append(error)
    return faults


def describe(certificates: list[x509.Certificate], *, own_authority: bool = False) -> Facts:
    """Return what is known of the first certificate of a chain."""
    first = certificates[0]
    alone = len(certificates) == 1 and first.issuer != first.subject
    return Facts(
        names=tuple(_names(first)),
        issuer=_issuer(first),
        serial=f"{first.serial_number:x}",
        not_before=first.not_valid_before_utc.timestamp(),
        not_after=first.not_valid_after_utc.timestamp(),
        whole=own_authority or not alone,
        self_signed=first.issuer == first.subject,
    )


def _read_chain(source: Source) -> tuple[str, list[x509.Certificate]]:
    text = _read("certificate", source.certificate)
    return text, _parse_chain(text, source.certificate)


def _read_key(source: Source) -> tuple[str, PrivateKeyTypes]:
    text = _read("key", source.key)
    return text, _parse_key(text, source.key)


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


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return [name.lower() for name in extension.value.get_values_for_type(x509.DNSName)]


def _issuer(certificate: x509.Certificate) -> str:
    """Return the issuer's name, with its organisation where the name alone says little (R11)."""
    parts = [
        str(attribute.value)
        for oid in (NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME)
        for attribute in certificate.issuer.get_attributes_for_oid(oid)
    ]
    return " ".join(parts) or certificate.issuer.rfc4514_string()
