"""What is wanted in the DNS, as data that can be read without loading the settings."""

import json
from dataclasses import asdict, dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING

from appliance import public_address
from appliance.public_address import Known, PublicAddresses

if TYPE_CHECKING:
    from appliance.settings import Settings


@dataclass(frozen=True)
class Source:
    """The records as the settings ask for them, and the right to write them."""

    domain: str
    names: tuple[str, ...]
    unproxied: str
    """The name that never goes through Cloudflare's proxy."""
    proxied: bool
    follow: bool
    """Whether our own records follow a changed address."""
    given: tuple[str, ...]
    """The public addresses that the owner named; without any they are found out."""
    api: str
    ca_bundle: str | None
    """Roots to trust there beside the usual ones."""
    token: str = field(repr=False)

    @classmethod
    def of(cls, settings: "Settings") -> "Source":
        """Return what the settings ask for."""
        return cls(
            domain=settings.domain,
            names=settings.dns_names,
            unproxied=settings.turn_host,
            proxied=settings.cloudflare_dns_proxied,
            follow=settings.cloudflare_dns == "manage",
            given=tuple(map(str, settings.given_public_ips)),
            api=settings.cloudflare_api_url,
            ca_bundle=settings.acme_ca_bundle,
            token=settings.cloudflare_api_token.get_secret_value(),
        )

    @property
    def addresses(self) -> PublicAddresses:
        """The addresses to write: those the owner named, else what was found last."""
        if self.given:
            known = (Known(ip_address(one), public_address.VARIABLE) for one in self.given)
            return PublicAddresses.of(known)
        return public_address.find() or PublicAddresses()

    @classmethod
    def from_json(cls, text: str) -> "Source":
        """Given what `to_json` returned, return the same again."""
        values = json.loads(text)
        lists = {name: tuple(values[name]) for name in ("names", "given")}
        return cls(**{**values, **lists})

    def to_json(self) -> str:
        """Return it as text, the token in it."""
        return json.dumps(asdict(self), indent=2) + "\n"
