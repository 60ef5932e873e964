"""Where a certificate comes from, as data that can be read without loading the settings."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from appliance.certificates.service import TlsService
from appliance.errors import OperationError

if TYPE_CHECKING:
    from appliance.settings import Settings

DATA = "/data/certificates"
RENEW_SECONDS = 30 * 86400

Stamp = tuple[tuple[int, int, int] | None, ...]


class PairError(OperationError):
    """A certificate and its key that cannot be used; `file` says which of the two is at fault."""

    def __init__(self, file: str, path: str, message: str) -> None:
        self.file = file
        super().__init__(f"{path}: {message}")


@dataclass(frozen=True)
class Order:
    """What is asked of an authority by ACME."""

    server: str
    """As the owner named it."""
    directory: str
    """Below which account and certificates of this authority are kept."""
    names: tuple[str, ...]
    fingerprint: str
    """Differs as soon as anything that is asked for, or asked with, is another."""


@dataclass(frozen=True)
class Source:
    """A certificate as the settings ask for it."""

    mode: str
    domain: str
    hosts: tuple[str, ...]
    """What browsers and apps call, so what it has to hold."""
    certificate: str
    """Path of the chain, and below of its key, both PEM."""
    key: str
    services: tuple[TlsService, ...]
    """Who serves it."""
    lasting: bool
    """Whether browsers may remember that this server is to be reached by TLS alone."""
    authority: str | None = None
    """Path of the certificate of our own authority, where it is one of ours."""
    order: Order | None = None
    """What to ask of whom, where it comes by ACME."""

    @classmethod
    def of(cls, settings: "Settings", services: Sequence[TlsService] = ()) -> "Source":
        """Return what the settings ask for."""
        relay = (settings.turn_host,) if settings.turn else ()
        hosts, services = (settings.matrix_host, settings.chat_host, *relay), tuple(services)
        mode, domain = str(settings.tls_mode), settings.domain
        match settings.tls_mode:
            case "self-signed":
                return cls(
                    mode,
                    domain,
                    hosts,
                    certificate=f"{DATA}/self-signed/fullchain.pem",
                    key=f"{DATA}/self-signed/privkey.pem",
                    services=services,
                    lasting=False,
                    authority=f"{DATA}/authority/certificate.pem",
                )
            case "acme":
                order = _order(settings)
                lineage = f"{order.directory}/live/{domain}"
                return cls(
                    mode,
                    domain,
                    hosts,
                    certificate=f"{lineage}/fullchain.pem",
                    key=f"{lineage}/privkey.pem",
                    services=services,
                    lasting=settings.acme_server != "staging",
                    order=order,
                )
            case _:
                certificate, key = settings.tls_certificate_path, settings.tls_key_path
                return cls(mode, domain, hosts, str(certificate), str(key), services, lasting=True)

    @classmethod
    def from_json(cls, text: str) -> "Source":
        """Given what `to_json` returned, return the same again."""
        values = json.loads(text)
        services = tuple(
            TlsService(**{**one, "addresses": tuple(one["addresses"])})
            for one in values["services"]
        )
        order = values["order"]
        return cls(
            **{
                **values,
                "hosts": tuple(values["hosts"]),
                "services": services,
                "order": Order(**{**order, "names": tuple(order["names"])}) if order else None,
            }
        )

    def to_json(self) -> str:
        """Return it as text."""
        return json.dumps(asdict(self), indent=2) + "\n"

    def require_order(self) -> Order:
        """Return the order of a source that must have one."""
        if self.order is None:
            raise ValueError(f"{self.mode} has no authority to ask")
        return self.order

    def stamp(self) -> Stamp:
        """Return what differs as soon as one of the files is another."""
        return tuple(_stamp(Path(path)) for path in (self.certificate, self.key))


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return (status.st_mtime_ns, status.st_size, status.st_ino)


def _order(settings: "Settings") -> Order:
    secrets = (
        *(settings.cloudflare_api_token, settings.acme_eab_hmac_key),
        settings.acme_dns_credentials,
    )
    asked = (
        *(settings.acme_directory, settings.acme_email, settings.acme_challenge),
        *(settings.acme_key_type, settings.acme_eab_kid, settings.acme_ca_bundle),
        settings.acme_dns_provider,
        *(secret.get_secret_value() if secret else None for secret in secrets),
        *settings.acme_names,
    )
    return Order(
        server=settings.acme_server,
        directory=f"{DATA}/acme/{_directory_name(settings.acme_server)}",
        names=settings.acme_names,
        fingerprint=_digest(*map(str, asked)),
    )


def _directory_name(server: str) -> str:
    """Return a name for the directory of an authority, which is one of ours or a URL."""
    if "/" not in server:
        return server
    return f"{urlsplit(server).hostname}-{_digest(server)[:8]}"


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
