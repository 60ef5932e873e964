"""A self-signed pair that stands in until an authority has issued one. Kept nowhere."""

import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from appliance.certificates.facts import Pair
from appliance.certificates.pair import describe

_EARLIER = datetime.timedelta(days=1)  # clocks of other devices
_LATER = datetime.timedelta(days=365)


def make_placeholder(hosts: tuple[str, ...], now: float) -> Pair:
    """Return a pair for some hosts, good for servers to start with and trusted by nobody."""
    moment = datetime.datetime.fromtimestamp(now, datetime.UTC)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "placeholder (matrix-appliance)")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(moment - _EARLIER)
        .not_valid_after(moment + _LATER)
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    chain = certificate.public_bytes(Encoding.PEM).decode()
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return Pair(chain, secret, describe([certificate]))
