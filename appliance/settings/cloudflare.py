"""Cloudflare: the token with which the appliance works on the domain's zone."""

import re
from collections.abc import Iterator

from pydantic import SecretStr

from appliance.errors import Problem
from appliance.settings.acme import AcmeChallenge, AcmeSettings
from appliance.settings.tls import TlsMode
from appliance.settings.types import Url, variable

_TOKEN = re.compile(r"[A-Za-z0-9_-]+")


class CloudflareSettings(AcmeSettings):
    """Variables about Cloudflare."""

    cloudflare_api_token: SecretStr | None = variable(
        None,
        help="An API token with the permission Zone → DNS → Edit for the domain's zone. Required "
        "when `MATRIX_ACME_CHALLENGE=dns-cloudflare`.",
        secret=True,
    )
    cloudflare_api_url: Url = variable(
        "https://api.cloudflare.com/client/v4",
        help="Where Cloudflare's API is reached; elsewhere only behind a gateway of your own.",
    )

    def problems(self) -> Iterator[Problem]:
        """Yield a token that is missing, is none, or is given in vain."""
        name, token = "MATRIX_CLOUDFLARE_API_TOKEN", self.cloudflare_api_token
        if token and not _TOKEN.fullmatch(token.get_secret_value()):
            yield Problem(
                name,
                "is no API token: those are letters, digits, - and _ alone, without quotes and "
                "without «Bearer» before them",
            )
        if token and self.trial:
            yield Problem(name, "has no effect in the trial: give MATRIX_DOMAIN too")
        needed = (
            self.tls_mode is TlsMode.ACME and self.acme_challenge is AcmeChallenge.DNS_CLOUDFLARE
        )
        if needed and self.cloudflare_api_token is None:
            yield Problem(
                "MATRIX_CLOUDFLARE_API_TOKEN",
                "is required when MATRIX_TLS_MODE=acme and MATRIX_ACME_CHALLENGE=dns-cloudflare: "
                "make one at dash.cloudflare.com, My Profile, API Tokens, template «Edit zone "
                "DNS», for the domain's zone",
            )
