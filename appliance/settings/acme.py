"""Certificates by ACME: of which authority, for which names, and how it is asked."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Any

from pydantic import SecretStr

from appliance.errors import Problem
from appliance.settings import dns_provider
from appliance.settings.domain import NAMES_OF_OURS, DomainSettings
from appliance.settings.tls import TlsMode, TlsSettings
from appliance.settings.types import (
    AbsolutePath,
    AcmeServer,
    CertificateNames,
    Duration,
    EmailAddress,
    variable,
)

# Source: Let's Encrypt documentation, "ACME Protocol Updates" and "Staging Environment".
_DIRECTORIES = {
    "letsencrypt": "https://acme-v02.api.letsencrypt.org/directory",
    "staging": "https://acme-staging-v02.api.letsencrypt.org/directory",
}
# Top-level names that nobody can own, so that no public authority vouches for them.
# Source: IANA, Special-Use Domain Names; ICANN resolutions 2018.02.04.12 and 2024.07.29.06.
_NOBODYS = {
    *("alt", "arpa", "corp", "example", "home", "internal", "intranet", "invalid", "lan"),
    *("local", "localdomain", "localhost", "mail", "onion", "private", "test"),
}


class AcmeChallenge(StrEnum):
    """How the appliance proves to the authority that the names are its own."""

    DNS_CLOUDFLARE = "dns-cloudflare"
    HTTP = "http"
    DNS_MULTI = "dns-multi"


class KeyType(StrEnum):
    """The kind of key in a certificate."""

    ECDSA = "ecdsa"
    RSA = "rsa"


def _default_names(values: dict[str, Any]) -> tuple[str, ...]:
    domain = values["domain"]
    each = tuple(f"{name}.{domain}" for name in NAMES_OF_OURS)
    if values["acme_challenge"] is AcmeChallenge.HTTP:  # which cannot prove a wildcard
        return (*each, domain)
    bare = values["server_name"] == domain
    provider = values["acme_dns_provider"]
    return tuple(dns_provider.choose_names(provider, domain, each, bare=bare))


class AcmeSettings(TlsSettings, DomainSettings):
    """Variables about certificates by ACME."""

    acme_email: EmailAddress | None = variable(
        None,
        help="Address of the account at the certificate authority. Required when "
        "`MATRIX_TLS_MODE=acme`.",
    )
    acme_server: AcmeServer = variable(
        "letsencrypt",
        help="The certificate authority: Let's Encrypt (`letsencrypt`), its `staging` for trying "
        "out (trusted by nobody, with generous limits), or the directory URL of any other. What "
        "one issued is kept when another is named.",
    )
    acme_challenge: AcmeChallenge = variable(
        AcmeChallenge.DNS_CLOUDFLARE,
        help="How the names are proved to be yours: a record in a zone at Cloudflare "
        "(`dns-cloudflare`), this server answering on port 80 (`http`), or a record at another "
        "DNS provider (`dns-multi`).",
    )
    acme_dns_provider: str | None = variable(
        None,
        help="The DNS provider of the domain, by the name that lego has for it: "
        "https://go-acme.github.io/lego/dns/. Required when `MATRIX_ACME_CHALLENGE=dns-multi`.",
    )
    acme_dns_credentials: SecretStr | None = variable(
        None,
        help="The variables that lego wants for that provider, such as `DUCKDNS_TOKEN=…`, one to "
        "a line, or separated by spaces.",
        secret=True,
    )
    acme_names: CertificateNames = variable(
        derived=_default_names,
        help="The names to have in the certificate. With `MATRIX_ACME_CHALLENGE=http` those that "
        "do not come to this machine are left out, with a warning, until they do.",
        default_text="`DOMAIN,*.DOMAIN`; with `MATRIX_ACME_CHALLENGE=http` each name of ours by "
        "itself and `DOMAIN`; from a provider that holds one TXT value at a time `*.DOMAIN`",
        min_length=1,
    )
    acme_key_type: KeyType = variable(
        KeyType.ECDSA, help="The certificate's key; `rsa` for clients older than about 2014."
    )
    acme_propagation: Duration = variable(
        derived=lambda values: 60 if values["acme_challenge"] is AcmeChallenge.DNS_MULTI else 10,
        help="How long to wait between writing a DNS record and having it looked up.",
        default_text="`10s`, `60s` with `MATRIX_ACME_CHALLENGE=dns-multi`",
        le=3600,
    )
    acme_eab_kid: str | None = variable(
        None,
        help="Key identifier of an account at an authority that wants one (external account "
        "binding).",
    )
    acme_eab_hmac_key: SecretStr | None = variable(
        None, help="The key that belongs to `MATRIX_ACME_EAB_KID`.", secret=True
    )
    acme_ca_bundle: AbsolutePath | None = variable(
        None,
        help="Root certificates (PEM) to trust beside the usual ones where certificates and DNS "
        "records are asked for: of an authority of your own, or of a proxy that opens TLS "
        "connections. A path inside the container.",
    )

    @property
    def acme_dns_variables(self) -> dict[str, str]:
        """What lego wants for the DNS provider, secrets all of it."""
        given = self.acme_dns_credentials
        return dns_provider.parse_variables(given.get_secret_value()) if given else {}

    @property
    def answers_challenges(self) -> bool:
        """Whether nginx answers the authority's questions."""
        return self.tls_mode is TlsMode.ACME and self.acme_challenge is AcmeChallenge.HTTP

    @property
    def lacks_bare_domain(self) -> bool:
        """Whether the certificate is asked for without the domain itself."""
        return self.tls_mode is TlsMode.ACME and self.domain not in self.acme_names

    @property
    def acme_directory(self) -> str:
        """The directory URL of the authority."""
        return _DIRECTORIES.get(self.acme_server, self.acme_server)

    def problems(self) -> Iterator[Problem]:
        """Yield what ACME needs and was not given, cannot do, or was given in vain."""
        if self.tls_mode is not TlsMode.ACME:
            yield from self._given_in_vain()
        elif self.acme_server in _DIRECTORIES and self.domain.rpartition(".")[2] in _NOBODYS:
            yield Problem(
                "MATRIX_TLS_MODE",
                f"no public authority vouches for {self.domain!r}, a name for private networks: "
                "set MATRIX_TLS_MODE=self-signed",
            )
        else:
            yield from self._missing()

    def _given_in_vain(self) -> Iterator[Problem]:
        for name in AcmeSettings.model_fields:
            if name.startswith("acme_") and name in self.model_fields_set:
                remedy = "give MATRIX_DOMAIN too" if self.trial else "set MATRIX_TLS_MODE=acme"
                yield Problem(
                    f"MATRIX_{name.upper()}",
                    f"has no effect when MATRIX_TLS_MODE={self.tls_mode}: {remedy} or leave it out",
                )

    def _missing(self) -> Iterator[Problem]:
        if self.acme_email is None:
            yield Problem(
                "MATRIX_ACME_EMAIL",
                "is required when MATRIX_TLS_MODE=acme, the default where a domain is given (other "
                "modes: files, self-signed, off)",
            )
        if not {self.matrix_host, f"*.{self.domain}"} & set(self.acme_names):
            yield Problem(
                "MATRIX_ACME_NAMES",
                f"leaves out {self.matrix_host}, where everybody comes: add it, or *.{self.domain}",
            )
        wildcards = [name for name in self.acme_names if name.startswith("*.")]
        if wildcards and self.acme_challenge is AcmeChallenge.HTTP:
            yield Problem(
                "MATRIX_ACME_NAMES",
                f"{wildcards[0]!r} cannot be proved by MATRIX_ACME_CHALLENGE=http: name each host, "
                "or choose a DNS challenge",
            )
        yield from self._dns_provider()
        if (self.acme_eab_kid is None) != (self.acme_eab_hmac_key is None):
            given, other = "MATRIX_ACME_EAB_KID", "MATRIX_ACME_EAB_HMAC_KEY"
            if self.acme_eab_kid is None:
                given, other = other, given
            yield Problem(other, f"is required when {given} is given: they are one pair")

    def _dns_provider(self) -> Iterator[Problem]:
        """Yield what is wrong with the choice of a DNS provider beside Cloudflare."""
        provider, given = self.acme_dns_provider, self.acme_dns_credentials
        names = {"ACME_DNS_PROVIDER": provider, "ACME_DNS_CREDENTIALS": given}
        if self.acme_challenge is not AcmeChallenge.DNS_MULTI:
            for name in (name for name, value in names.items() if value is not None):
                yield Problem(
                    f"MATRIX_{name}",
                    f"has no effect when MATRIX_ACME_CHALLENGE={self.acme_challenge}: set "
                    "MATRIX_ACME_CHALLENGE=dns-multi or leave it out",
                )
        elif provider is None:
            yield Problem(
                "MATRIX_ACME_DNS_PROVIDER",
                "is required when MATRIX_ACME_CHALLENGE=dns-multi: the provider of your domain, "
                "as it is called at https://go-acme.github.io/lego/dns/",
            )
        elif complaint := dns_provider.judge_provider(provider):
            yield Problem("MATRIX_ACME_DNS_PROVIDER", complaint)
        else:
            text = given.get_secret_value() if given else None
            for complaint in dns_provider.judge_variables(provider, text):
                yield Problem("MATRIX_ACME_DNS_CREDENTIALS", complaint)
            yield from self._one_value(provider)

    def _one_value(self, provider: str) -> Iterator[Problem]:
        """Yield what a provider cannot do that holds one TXT value at a time."""
        if complaint := dns_provider.judge_names(provider, self.acme_names):
            yield Problem("MATRIX_ACME_NAMES", complaint)
        elif self.server_name == self.domain and self.acme_names == (f"*.{self.domain}",):
            yield Problem(
                "MATRIX_SERVER_NAME",
                f"{self.domain} itself would have to be in the certificate: {provider} holds one "
                f"TXT value at a time, so it is for *.{self.domain} alone. Leave it out (users are "
                f"then @name:matrix.{self.domain}), or set MATRIX_ACME_CHALLENGE=http",
            )
