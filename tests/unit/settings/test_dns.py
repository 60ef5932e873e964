"""Variables about the public address and the records."""

import pytest

from appliance import settings
from appliance.errors import ConfigurationError
from appliance.settings import CloudflareDns

REAL = {"MATRIX_DOMAIN": "example.org", "MATRIX_TLS_MODE": "self-signed"}
TOKEN = {"MATRIX_CLOUDFLARE_API_TOKEN": "x" * 40}


def problems(environment: dict[str, str]) -> dict[str, str]:
    with pytest.raises(ConfigurationError) as caught:
        settings.load(environment)
    return {problem.subject: problem.message for problem in caught.value.problems}


def test_a_token_is_used_for_records_unless_told_otherwise() -> None:
    assert settings.load(REAL).cloudflare_dns is CloudflareDns.OFF
    assert settings.load({**REAL, **TOKEN}).cloudflare_dns is CloudflareDns.CREATE
    off = settings.load({**REAL, **TOKEN, "MATRIX_CLOUDFLARE_DNS": "off"})
    assert off.cloudflare_dns is CloudflareDns.OFF


def test_records_need_a_token() -> None:
    told = problems({**REAL, "MATRIX_CLOUDFLARE_DNS": "manage"})
    assert "MATRIX_CLOUDFLARE_DNS=manage" in told["MATRIX_CLOUDFLARE_API_TOKEN"]


def test_the_apex_only_if_asked() -> None:
    names = settings.load({**REAL, **TOKEN}).dns_names
    assert names == tuple(f"{name}.example.org" for name in ("matrix", "chat", "turn", "synapse"))
    with_apex = settings.load({**REAL, **TOKEN, "MATRIX_CLOUDFLARE_DNS_APEX": "yes"})
    assert with_apex.dns_names == (*names, "example.org")


def test_who_switches_the_proxy_on_is_told_what_belongs_to_it() -> None:
    proxied = {**REAL, **TOKEN, "MATRIX_CLOUDFLARE_DNS_PROXIED": "yes"}
    (warning,) = settings.load(proxied).warnings()
    assert warning.subject == "MATRIX_CLOUDFLARE_DNS_PROXIED"
    assert list(settings.load({**proxied, "MATRIX_TRUSTED_PROXIES": "cloudflare"}).warnings()) == []


def test_only_a_server_of_the_internet_asks_for_its_address() -> None:
    assert settings.load(REAL).follows_public_ip
    for domain in ("home.lan", "my.home.arpa", "server.internal", "nas.local"):
        loaded = settings.load({**REAL, "MATRIX_DOMAIN": domain})
        assert loaded.public_ip == (), domain
    assert settings.load({}).public_ip == ()
    assert "MATRIX_DOMAIN" in problems({"MATRIX_PUBLIC_IP": "auto"})["MATRIX_PUBLIC_IP"]


def test_the_owner_names_one_address_of_each_family() -> None:
    both = settings.load({**REAL, "MATRIX_PUBLIC_IP": "203.0.113.5, 2001:db8::5"})
    assert [str(one) for one in both.given_public_ips] == ["203.0.113.5", "2001:db8::5"]
    assert not both.follows_public_ip
    two = problems({**REAL, "MATRIX_PUBLIC_IP": "203.0.113.5,203.0.113.6"})
    assert two == {"MATRIX_PUBLIC_IP": "names two IPv4 addresses: give one"}
    mapped = problems({**REAL, "MATRIX_PUBLIC_IP": "::ffff:91.2.3.4"})["MATRIX_PUBLIC_IP"]
    assert "is an IPv4 address in another form: write 91.2.3.4" in mapped
    for useless in ("0.0.0.0", "127.0.0.1", "::1", "224.0.0.1"):
        assert useless in problems({**REAL, "MATRIX_PUBLIC_IP": useless})["MATRIX_PUBLIC_IP"]


def test_stun_servers_by_name_and_address_with_or_without_a_port() -> None:
    given = "Stun.Example.org, 192.0.2.1:19302, 2001:db8::1, [2001:db8::2]:443"
    loaded = settings.load({**REAL, "MATRIX_STUN_SERVERS": given})
    assert list(map(str, loaded.stun_servers)) == [
        "stun.example.org:3478",
        "192.0.2.1:19302",
        "[2001:db8::1]:3478",
        "[2001:db8::2]:443",
    ]
    for bad in ("stun:example.org", "a b", "host:0", "host:70000"):
        assert "MATRIX_STUN_SERVERS" in problems({**REAL, "MATRIX_STUN_SERVERS": bad})
