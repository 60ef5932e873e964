import re

import pytest

from appliance import settings
from appliance.errors import ConfigurationError
from appliance.settings.dns_provider import judge_variables, parse_variables

DUCKDNS = {
    "MATRIX_DOMAIN": "home.duckdns.org",
    "MATRIX_ACME_EMAIL": "owner@example.org",
    "MATRIX_ACME_CHALLENGE": "dns-multi",
    "MATRIX_ACME_DNS_PROVIDER": "duckdns",
    "MATRIX_ACME_DNS_CREDENTIALS": "DUCKDNS_TOKEN=a-secret",
}


def problems(**variables: str) -> dict[str, str]:
    with pytest.raises(ConfigurationError) as caught:
        settings.load({**DUCKDNS, **variables})
    found = {problem.subject: problem.message for problem in caught.value.problems}
    assert not any("secret" in message for message in found.values())
    return found


def test_a_provider_with_one_value_at_a_time_is_asked_for_the_wildcard_alone() -> None:
    loaded = settings.load(DUCKDNS)
    assert loaded.acme_names == ("*.home.duckdns.org",)
    assert loaded.acme_dns_variables == {"DUCKDNS_TOKEN": "a-secret"}
    assert loaded.acme_propagation == 60
    assert "a-secret" not in repr(loaded)
    told = problems(MATRIX_ACME_NAMES="home.duckdns.org,*.home.duckdns.org")
    assert "one TXT value at a time" in told["MATRIX_ACME_NAMES"]
    told = problems(MATRIX_SERVER_NAME="home.duckdns.org")
    assert "users are then @name:matrix.home.duckdns.org" in told["MATRIX_SERVER_NAME"]


def test_one_value_of_each_name_is_enough_for_the_hosts_by_themselves() -> None:
    given = {
        **DUCKDNS,
        "MATRIX_DOMAIN": "example.org",
        "MATRIX_ACME_DNS_PROVIDER": "rfc2136",
        "MATRIX_ACME_DNS_CREDENTIALS": "RFC2136_NAMESERVER=10.0.0.1",
    }
    assert settings.load(given).acme_names == ("*.example.org",)
    bare = settings.load({**given, "MATRIX_SERVER_NAME": "example.org"})
    assert bare.acme_names == (
        "example.org",
        *(f"{name}.example.org" for name in ("matrix", "chat", "turn", "synapse")),
    )
    names = {"MATRIX_ACME_NAMES": "example.org,chat.example.org,*.example.org"}
    with pytest.raises(ConfigurationError) as caught:
        settings.load({**given, **names})
    assert "example.org and *.example.org need two of one" in str(caught.value.problems[0])


def test_any_other_is_asked_for_both() -> None:
    loaded = settings.load(
        {
            **DUCKDNS,
            "MATRIX_DOMAIN": "example.org",
            "MATRIX_ACME_DNS_PROVIDER": "desec",
            "MATRIX_ACME_DNS_CREDENTIALS": "DESEC_TOKEN=a-secret",
        }
    )
    assert loaded.acme_names == ("example.org", "*.example.org")


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        ("A_B=1", {"A_B": "1"}),
        ("A_B=1 C_D=2", {"A_B": "1", "C_D": "2"}),
        ("\n# mine\nA_B=1\n\n  C_D='x = y'\n", {"A_B": "1", "C_D": "x = y"}),
        ("A_B=one two C=3", {"A_B": "one two", "C": "3"}),
        ("A_B=one C=3\nD=4", {"A_B": "one C=3", "D": "4"}),
        ('A_B={\n "key": 1\n}\nC_D="2"', {"A_B": '{\n "key": 1\n}', "C_D": "2"}),
    ],
)
def test_variables_stand_in_lines_or_in_one(text: str, variables: dict[str, str]) -> None:
    assert parse_variables(text) == variables


@pytest.mark.parametrize(
    ("variables", "subject", "message"),
    [
        ({"DNS_PROVIDER": "duckdn"}, "DNS_PROVIDER", "did you mean duckdns?"),
        ({"DNS_PROVIDER": "§"}, "DNS_PROVIDER", "knows. All of them: https://"),
        ({"DNS_PROVIDER": "manual"}, "DNS_PROVIDER", "asks a person"),
        ({"DNS_PROVIDER": ""}, "DNS_PROVIDER", "is required when"),
        ({"DNS_CREDENTIALS": ""}, "DNS_CREDENTIALS", "as NAME=VALUE lines of: DUCKDNS_TOKEN"),
        ({"DNS_CREDENTIALS": "secret"}, "DNS_CREDENTIALS", "(for duckdns: DUCKDNS_TOKEN)"),
        ({"DNS_CREDENTIALS": "DUCKDNS_TOKN=secret"}, "DNS_CREDENTIALS", "mean DUCKDNS_TOKEN?"),
        ({"DNS_CREDENTIALS": "PATH=/secret"}, "DNS_CREDENTIALS", "PATH is not a variable of"),
        ({"DNS_CREDENTIALS": "LEGO_DEBUG_DNS_API_HTTP_CLIENT=1"}, "DNS_CREDENTIALS", "not a var"),
        ({"DNS_CREDENTIALS": "DUCKDNS_TOKEN="}, "DNS_CREDENTIALS", "DUCKDNS_TOKEN is empty"),
        ({"CHALLENGE": "http"}, "DNS_PROVIDER", "has no effect when MATRIX_ACME_CHALLENGE=http"),
        ({"CHALLENGE": "http"}, "DNS_CREDENTIALS", "has no effect when"),
    ],
)
def test_a_mistake_says_what_to_do(variables: dict[str, str], subject: str, message: str) -> None:
    told = problems(**{f"MATRIX_ACME_{name}": value for name, value in variables.items()})
    assert message in told[f"MATRIX_ACME_{subject}"]


@pytest.mark.parametrize(
    ("provider", "text"),
    [
        ("rfc2136", "RFC2136_NAMESERVER=10.0.0.1 RFC2136_TSIG_KEY=k RFC2136_TSIG_SECRET=s"),
        ("cloudflare", "CF_DNS_API_TOKEN=t LEGO_DISABLE_CNAME_SUPPORT=true"),
        ("route53", "AWS_ACCESS_KEY_ID=i AWS_SECRET_ACCESS_KEY=k AWS_SESSION_TOKEN=s"),
        ("gcloud", "GCE_PROJECT=p GOOGLE_APPLICATION_CREDENTIALS=/key.json"),
        ("hetzner", "HETZNER_API_TOKEN_FILE=/run/secrets/hetzner"),
        ("exec", "EXEC_PATH=/data/custom/dns"),
    ],
)
def test_what_lego_takes_is_taken(provider: str, text: str) -> None:
    assert list(judge_variables(provider, text)) == []


def test_every_provider_of_the_list_says_what_it_needs() -> None:
    from appliance.settings.dns_provider import _providers

    assert len(_providers()) > 200
    for provider in _providers().values():
        assert all(re.fullmatch("[A-Z][A-Z0-9_]+[*]?", name) for name in provider.takes)
        for complaint in judge_variables(provider.name, None):
            assert f"is required for {provider.name}" in complaint
