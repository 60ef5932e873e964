"""The address under which the world reaches this machine."""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from appliance.endpoint import Address, Endpoint
from appliance.errors import Problem
from appliance.settings.domain import TRIAL_DOMAIN, is_trial
from appliance.settings.types import AUTO, Duration, Endpoints, PublicIp, variable

# Of four operators, so that no single one decides; each answers to everybody.
STUN_SERVERS = (
    Endpoint("stun.cloudflare.com", 3478),
    Endpoint("stun.nextcloud.com", 443),
    Endpoint("stun.l.google.com", 19302),
    Endpoint("stun.sipgate.net", 3478),
)
# Domains that no public DNS holds. Source: RFC 6762 (appendix G), RFC 8375, and ICANN's
# reservation of `internal`.
_PRIVATE_DOMAINS = (
    *("home.arpa", "internal", "intranet", "private", "corp", "home", "lan", "local"),
    "localdomain",
)


def _is_of_a_lan(values: dict[str, Any]) -> bool:
    """Return whether no machine beyond the LAN can ever find this domain."""
    return any(f".{values['domain']}".endswith(f".{end}") for end in _PRIVATE_DOMAINS)


class PublicAddressSettings(BaseModel):
    """Variables about the address under which the world reaches this machine."""

    public_ip: PublicIp = variable(
        derived=lambda values: () if is_trial(values) or _is_of_a_lan(values) else AUTO,
        help="The address of this machine for the world, for calls and DNS: `auto` asks the STUN "
        "servers and follows changes; or an address, or one of each family; or `none` for a server "
        "of a LAN, which asks nobody.",
        default_text="`none` in the trial and for a domain such as `home.lan`, else `auto`",
    )
    public_ip_interval: Duration = variable(
        300, help="How often `auto` asks.", default_text="`5m`", ge=10
    )
    stun_servers: Endpoints = variable(
        STUN_SERVERS,
        help="The STUN servers that `auto` asks, in this order, two at least if there are two: "
        "`HOST` or `HOST:PORT`.",
        default_text=", ".join(f"`{server}`" for server in STUN_SERVERS),
        min_length=1,
    )

    @property
    def follows_public_ip(self) -> bool:
        """Whether the address is found out while the server runs."""
        return self.public_ip == AUTO

    @property
    def given_public_ips(self) -> tuple[Address, ...]:
        """The addresses that the owner named."""
        return () if self.public_ip == AUTO else self.public_ip

    def problems(self) -> Iterator[Problem]:
        """Yield a trial that would ask the internet, and addresses that make no sense."""
        if self.public_ip == AUTO and self.domain == TRIAL_DOMAIN:  # type: ignore[attr-defined]
            yield Problem(
                "MATRIX_PUBLIC_IP",
                "the trial asks the internet nothing: set MATRIX_DOMAIN too, or leave it out",
            )
        for address in self.given_public_ips:
            if address.is_unspecified or address.is_loopback or address.is_multicast:
                yield Problem(
                    "MATRIX_PUBLIC_IP", f"{address} is no address at which a machine is reached"
                )
        families = [address.version for address in self.given_public_ips]
        for version in sorted(set(families)):
            if families.count(version) > 1:
                yield Problem("MATRIX_PUBLIC_IP", f"names two IPv{version} addresses: give one")
