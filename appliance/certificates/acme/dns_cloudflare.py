"""The DNS-01 challenge in a zone at Cloudflare, by certbot's own plugin."""

import re
from typing import TYPE_CHECKING

from appliance import cloudflare
from appliance.certificates.acme.challenge import Circumstances, Preparation
from appliance.files import write_atomically

if TYPE_CHECKING:
    from appliance.certificates.acme.certbot import Run


def prepare(circumstances: Circumstances) -> Preparation:
    """Ask Cloudflare whether the token may change the zone of every name.

    Raise CloudflareError, which tells a wrong token from a missing right, zone or API.
    """
    settings = circumstances.settings
    if settings.cloudflare_api_token is None:
        raise ValueError("the settings refuse this")
    token = settings.cloudflare_api_token.get_secret_value()
    for domain in dict.fromkeys(name.removeprefix("*.") for name in settings.acme_names):
        cloudflare.preflight(token, domain, settings.cloudflare_api_url)
    credentials = circumstances.directory / "cloudflare.ini"
    write_atomically(credentials, f"dns_cloudflare_api_token = {token}\n", mode=0o600)
    return Preparation(
        options=(
            "--dns-cloudflare",
            f"--dns-cloudflare-credentials={credentials}",
            f"--dns-cloudflare-propagation-seconds={circumstances.propagation_seconds}",
        ),
        names=settings.acme_names,
        environment={"CLOUDFLARE_BASE_URL": settings.cloudflare_api_url},
        conclude=find_leftovers,
    )


def find_leftovers(run: "Run") -> tuple[str, ...]:
    """Return what a run that went well could not tidy up, which its status does not tell."""
    if re.search(r"(API|Network) error deleting TXT record", run.log):
        return (
            "a proof could not be taken out of the DNS again: remove the TXT records named "
            "_acme-challenge by hand (they do no harm)",
        )
    return ()
