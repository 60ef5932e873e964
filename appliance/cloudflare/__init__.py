"""Cloudflare's DNS through its API: the zone of a domain, its records, and what a token may do.

Decides nothing about which records there should be. Imports only what the standard library has.
"""

from appliance.cloudflare.client import BASE_URL, Cloudflare, Record, Zone, build_trust
from appliance.cloudflare.faults import CloudflareError, Fault

__all__ = [
    "BASE_URL",
    "Cloudflare",
    "CloudflareError",
    "Fault",
    "Record",
    "Zone",
    "build_trust",
    "preflight",
]


def preflight(token: str, domain: str, base_url: str = BASE_URL) -> Zone:
    """Return the zone of a domain if the token may change its records, having changed nothing.

    Raise CloudflareError saying which right is missing or what else is in the way.
    """
    with Cloudflare(token, base_url) as cloudflare:
        zone = cloudflare.find_zone(domain)
        cloudflare.require_edit(zone)
        return zone
