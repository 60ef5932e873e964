"""Whether and how the appliance keeps its names in the DNS, with the token for Cloudflare."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Any

from appliance.errors import Problem
from appliance.settings.cloudflare import CloudflareSettings
from appliance.settings.domain import NAMES_OF_OURS
from appliance.settings.types import Boolean, variable


class CloudflareDns(StrEnum):
    """What the appliance does to the zone."""

    CREATE = "create"
    MANAGE = "manage"
    OFF = "off"


def _default(values: dict[str, Any]) -> CloudflareDns:
    return CloudflareDns.CREATE if values["cloudflare_api_token"] else CloudflareDns.OFF


class DnsSettings(CloudflareSettings):
    """Variables about records in the DNS."""

    cloudflare_dns: CloudflareDns = variable(
        derived=_default,
        help="`create`: make the A and AAAA records of `matrix`, `chat`, `turn` and `synapse` "
        "for names that have none, and touch no other; `manage`: also follow a changed public "
        "address, on the records that the appliance made; `off`: do nothing.",
        default_text="`create` when `MATRIX_CLOUDFLARE_API_TOKEN` is set, else `off`",
    )
    cloudflare_dns_apex: Boolean = variable(
        False, help="Whether `DOMAIN` itself gets records too, if it has none."
    )
    cloudflare_dns_proxied: Boolean = variable(
        False,
        help="Whether the records that the appliance makes go through Cloudflare's proxy; `turn` "
        "never does, since it passes no calls. Set `MATRIX_TRUSTED_PROXIES=cloudflare` with it.",
    )

    @property
    def dns_names(self) -> tuple[str, ...]:
        """The names that the world calls this server by."""
        apex = (self.domain,) if self.cloudflare_dns_apex else ()
        return (*(f"{name}.{self.domain}" for name in NAMES_OF_OURS), *apex)

    def problems(self) -> Iterator[Problem]:
        """Yield records that nobody could write."""
        if self.cloudflare_dns is not CloudflareDns.OFF and self.cloudflare_api_token is None:
            yield Problem(
                "MATRIX_CLOUDFLARE_API_TOKEN",
                f"is required when MATRIX_CLOUDFLARE_DNS={self.cloudflare_dns}",
            )

    def warnings(self) -> Iterator[Problem]:
        """Yield a proxy whose address every client would have."""
        if self.cloudflare_dns_proxied and "cloudflare" not in vars(self)["trusted_proxies"]:
            yield Problem(
                "MATRIX_CLOUDFLARE_DNS_PROXIED",
                "lets every client look like Cloudflare, which rate limits and logs then take for "
                "one: set MATRIX_TRUSTED_PROXIES=cloudflare too",
            )
