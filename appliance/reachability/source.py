"""What is to be visited, as data that can be read without loading the settings."""

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from appliance.endpoint import Endpoint

if TYPE_CHECKING:
    from appliance.machine import Machine
    from appliance.settings import Settings


@dataclass(frozen=True)
class Source:
    """The names of this server, and how they are come in by."""

    visited: tuple[str, ...]
    compared: tuple[str, ...]
    """Names of what does not speak HTTP: for the relay an address is all that can be told."""
    port: int
    tls: bool
    local: Endpoint
    """Where this machine reaches what the world shall reach."""
    local_tls: bool
    given: tuple[str, ...]
    """The public addresses that the owner named."""
    reads_zone: bool
    """Whether the records are looked at, too: then first, since a lack of one is remembered."""

    @classmethod
    def of(cls, settings: "Settings", machine: "Machine") -> "Source":
        """Return what the settings ask for."""
        from appliance.listeners import client_address

        base = urlsplit(settings.base_url)
        secure = base.scheme == "https"
        host, _, port = client_address(settings, machine).rpartition(":")
        writes = settings.cloudflare_dns != "off"
        names = [settings.matrix_host, settings.chat_host]
        if writes:
            names.append(settings.synapse_host)
        if settings.server_name == settings.domain or settings.cloudflare_dns_apex:
            names.append(settings.domain)
        return cls(
            visited=tuple(names),
            compared=(settings.turn_host,) if writes or settings.turn else (),
            port=base.port or (443 if secure else 80),
            tls=secure,
            local=Endpoint(host.strip("[]"), int(port)),
            local_tls=settings.tls,
            given=tuple(map(str, settings.given_public_ips)),
            reads_zone=writes,
        )

    @classmethod
    def from_json(cls, text: str) -> "Source":
        """Given what `to_json` returned, return the same again."""
        values = json.loads(text)
        lists = {name: tuple(values[name]) for name in ("visited", "compared", "given")}
        return cls(**{**values, **lists, "local": Endpoint(**values["local"])})

    def to_json(self) -> str:
        """Return it as text."""
        return json.dumps(asdict(self), indent=1) + "\n"
