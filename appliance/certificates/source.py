"""Where a certificate comes from, as data that can be read without loading the settings."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

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
class Source:
    """A certificate as the settings ask for it."""

    mode: str
    domain: str
    hosts: tuple[str, ...]
    """What browsers and apps call, so what it has to hold."""
    certificate: str
    """Path of the chain, and below of its key, both PEM."""
    key: str
    address: str
    """Where this machine reaches nginx, to see which certificate it serves."""
    authority: str | None = None
    """Path of the certificate of our own authority, where it is one of ours."""

    @classmethod
    def of(cls, settings: "Settings") -> "Source":
        """Return what the settings ask for."""
        own = settings.tls_mode == "self-signed"
        return cls(
            mode=str(settings.tls_mode),
            domain=settings.domain,
            hosts=(settings.matrix_host, settings.chat_host),
            certificate=f"{DATA}/self-signed/fullchain.pem"
            if own
            else str(settings.tls_certificate_path),
            key=f"{DATA}/self-signed/privkey.pem" if own else str(settings.tls_key_path),
            address=_reachable(settings),
            authority=f"{DATA}/authority/certificate.pem" if own else None,
        )

    @classmethod
    def from_json(cls, text: str) -> "Source":
        """Given what `to_json` returned, return the same again."""
        values = json.loads(text)
        return cls(**{**values, "hosts": tuple(values["hosts"])})

    def to_json(self) -> str:
        """Return it as text."""
        return json.dumps(asdict(self), indent=2) + "\n"

    @property
    def renewable(self) -> bool:
        """Whether it is for us to renew it."""
        return self.authority is not None

    def stamp(self) -> Stamp:
        """Return what differs as soon as one of the files is another."""
        return tuple(_stamp(Path(path)) for path in (self.certificate, self.key))


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return (status.st_mtime_ns, status.st_size, status.st_ino)


def _reachable(settings: "Settings") -> str:
    """Return an address of nginx's HTTPS port, by IPv4 where it listens there."""
    address = min(settings.listen, key=lambda address: int(address.version))
    host = str(address) if not address.is_unspecified else "127.0.0.1"
    if address.version == 6:
        host = f"[{address}]" if not address.is_unspecified else "[::1]"
    return f"{host}:{settings.https_port}"
