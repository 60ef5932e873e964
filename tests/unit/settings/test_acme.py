import pytest

from appliance import settings
from appliance.errors import ConfigurationError
from appliance.settings import AcmeChallenge, KeyType, TlsMode

INTERNET = {
    "MATRIX_DOMAIN": "example.org",
    "MATRIX_ACME_EMAIL": "owner@example.org",
    "MATRIX_CLOUDFLARE_API_TOKEN": "a-token",
}


def problems(environment: dict[str, str]) -> dict[str, str]:
    with pytest.raises(ConfigurationError) as caught:
        settings.load(environment)
    return {problem.subject: problem.message for problem in caught.value.problems}


def test_a_domain_an_address_and_a_token_are_enough() -> None:
    loaded = settings.load(INTERNET)
    assert loaded.tls_mode is TlsMode.ACME
    assert loaded.acme_directory == "https://acme-v02.api.letsencrypt.org/directory"
    assert loaded.acme_challenge is AcmeChallenge.DNS_CLOUDFLARE
    assert loaded.acme_names == ("example.org", "*.example.org")
    assert loaded.acme_key_type is KeyType.ECDSA
    assert loaded.acme_propagation == 10
    assert "a-token" not in repr(loaded)


def test_a_domain_alone_says_all_that_is_missing() -> None:
    assert set(problems({"MATRIX_DOMAIN": "example.org"})) == {
        "MATRIX_ACME_EMAIL",
        "MATRIX_CLOUDFLARE_API_TOKEN",
    }


@pytest.mark.parametrize(
    "domain", ["home.lan", "nas.local", "home.arpa", "my.home.arpa", "a.internal", "b.test"]
)
def test_a_name_for_private_networks_gets_an_authority_of_its_own(domain: str) -> None:
    told = problems({**INTERNET, "MATRIX_DOMAIN": domain})
    assert "set MATRIX_TLS_MODE=self-signed" in told["MATRIX_TLS_MODE"]
    own = {**INTERNET, "MATRIX_DOMAIN": domain, "MATRIX_ACME_SERVER": "https://ca.lan/directory"}
    assert settings.load(own).acme_directory == "https://ca.lan/directory"


def test_the_http_challenge_names_each_host_and_needs_no_token() -> None:
    given = {
        "MATRIX_DOMAIN": "example.org",
        "MATRIX_ACME_EMAIL": "owner@example.org",
        "MATRIX_ACME_CHALLENGE": "http",
    }
    assert settings.load(given).acme_names == (
        *(f"{name}.example.org" for name in ("matrix", "chat", "turn", "synapse")),
        "example.org",
    )
    told = problems({**given, "MATRIX_ACME_NAMES": "matrix.example.org,*.example.org"})
    assert "'*.example.org' cannot be proved" in told["MATRIX_ACME_NAMES"]


def test_staging_is_an_authority_by_name() -> None:
    loaded = settings.load({**INTERNET, "MATRIX_ACME_SERVER": "staging"})
    assert loaded.acme_directory.startswith("https://acme-staging-v02.")


@pytest.mark.parametrize(
    ("variables", "subject", "message"),
    [
        ({"MATRIX_ACME_EAB_KID": "k"}, "MATRIX_ACME_EAB_HMAC_KEY", "one pair"),
        ({"MATRIX_ACME_EAB_HMAC_KEY": "k"}, "MATRIX_ACME_EAB_KID", "one pair"),
        ({"MATRIX_ACME_PROPAGATION": "2h"}, "MATRIX_ACME_PROPAGATION", "at most 3600"),
        ({"MATRIX_ACME_NAMES": ","}, "MATRIX_ACME_NAMES", "names nothing"),
        ({"MATRIX_ACME_NAMES": "example.org"}, "MATRIX_ACME_NAMES", "or *.example.org"),
        ({"MATRIX_TLS_MODE": "self-signed"}, "MATRIX_ACME_EMAIL", "has no effect"),
        ({"MATRIX_TLS_KEY_PATH": "/key.pem"}, "MATRIX_TLS_KEY_PATH", "MATRIX_TLS_MODE=acme"),
    ],
)
def test_a_bad_combination_says_what_to_do(
    variables: dict[str, str], subject: str, message: str
) -> None:
    assert message in problems({**INTERNET, **variables})[subject]


def test_a_forgotten_domain_is_told() -> None:
    told = problems({"MATRIX_ACME_EMAIL": "owner@example.org"})
    assert "give MATRIX_DOMAIN too" in told["MATRIX_ACME_EMAIL"]


@pytest.mark.parametrize("token", ["Bearer abc", "…", "'abc'", "a b"])
def test_a_token_that_can_be_none_is_told_without_repeating_it(token: str) -> None:
    told = problems({**INTERNET, "MATRIX_CLOUDFLARE_API_TOKEN": token})
    assert "is no API token" in told["MATRIX_CLOUDFLARE_API_TOKEN"]
    assert token not in told["MATRIX_CLOUDFLARE_API_TOKEN"].replace("«Bearer»", "")


def test_a_token_without_a_domain_is_told() -> None:
    told = problems({"MATRIX_CLOUDFLARE_API_TOKEN": "a-token"})
    assert "give MATRIX_DOMAIN too" in told["MATRIX_CLOUDFLARE_API_TOKEN"]
