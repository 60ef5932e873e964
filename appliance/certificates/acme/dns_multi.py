"""The DNS-01 challenge at any provider that lego knows, by certbot-dns-multi."""

from appliance.certificates.acme.challenge import Circumstances, Preparation
from appliance.files import write_atomically


def prepare(circumstances: Circumstances) -> Preparation:
    """Return what certbot needs; only the provider itself can say whether its secrets are right."""
    settings = circumstances.settings
    # The provider's variables are certbot's environment: that file could not hold every value.
    credentials = circumstances.directory / "dns-multi.ini"
    provider = f"dns_multi_provider = {settings.acme_dns_provider}\n"
    write_atomically(credentials, provider, mode=0o600)
    return Preparation(
        options=(
            "--authenticator=dns-multi",
            f"--dns-multi-credentials={credentials}",
            f"--dns-multi-propagation-seconds={circumstances.propagation_seconds}",
        ),
        names=settings.acme_names,
        environment=settings.acme_dns_variables,
        secrets=tuple(settings.acme_dns_variables.values()),
    )
