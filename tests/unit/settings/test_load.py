import re
from pathlib import Path

import pytest

from appliance import settings
from appliance.errors import ConfigurationError
from appliance.settings import Federation, Registration, Settings, TlsMode
from appliance.settings.documentation import render_documentation
from appliance.settings.tasks import TASKS

ROOT = Path(__file__).parent.parent.parent.parent
LAN = {"MATRIX_DOMAIN": "home.lan", "MATRIX_TLS_MODE": "self-signed"}


def problems(environment: dict[str, str]) -> dict[str, str]:
    with pytest.raises(ConfigurationError) as caught:
        settings.load(environment)
    return {problem.subject: problem.message for problem in caught.value.problems}


def test_nothing_set_is_a_private_trial() -> None:
    loaded = settings.load({})
    assert loaded.trial
    assert loaded.server_name == "matrix.localhost"
    assert loaded.base_url == "http://matrix.localhost"
    assert loaded.chat_url == "http://chat.localhost"
    assert loaded.registration is Registration.OPEN
    assert loaded.federation is Federation.OFF
    assert [str(address) for address in loaded.listen] == ["127.0.0.1", "::1"]
    assert not loaded.listens_beyond_loopback


def test_a_trial_that_listens_elsewhere_is_not_open() -> None:
    loaded = settings.load({"MATRIX_LISTEN": "0.0.0.0"})
    assert loaded.registration is Registration.TOKEN
    assert loaded.rate_limits


def test_a_domain_gives_names_and_addresses() -> None:
    loaded = settings.load({**LAN, "MATRIX_HTTPS_PORT": "8443"})
    assert loaded.server_name == "matrix.home.lan"
    assert loaded.base_url == "https://matrix.home.lan:8443"
    assert loaded.registration is Registration.TOKEN
    assert loaded.tls_mode is TlsMode.SELF_SIGNED


def test_settings_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        settings.load({}).domain = "example.org"  # type: ignore[misc]


def test_all_problems_are_told_at_once_and_sorted() -> None:
    with pytest.raises(ConfigurationError) as caught:
        settings.load(
            {
                "MATRIX_TLS_MODE": "letsencrypt",
                "MATRIX_DOMAN": "example.org",
                "MATRIX_HTTP_PORT": "eighty",
                "MATRIX_RETENTION": "no",
                "MATRIX_RETENTION_DEFAULT": "1d",
            }
        )
    lines = str(caught.value).splitlines()
    assert lines == sorted(lines)
    assert [line.partition(":")[0] for line in lines] == [
        "MATRIX_DOMAN",
        "MATRIX_HTTP_PORT",
        "MATRIX_RETENTION_DEFAULT",
        "MATRIX_TLS_MODE",
    ]


@pytest.mark.parametrize(
    ("environment", "subject", "message"),
    [
        ({"MATRIX_DOMAN": "x"}, "MATRIX_DOMAN", "did you mean MATRIX_DOMAIN?"),
        (
            {"MATRIX_DOMAIN": "matrix.example.org"},
            "MATRIX_DOMAIN",
            "MATRIX_DOMAIN=example.org",
        ),
        ({"MATRIX_DOMAIN": "https://example.org/"}, "MATRIX_DOMAIN", "did you mean example.org?"),
        ({"MATRIX_DOMAIN": "192.168.1.5"}, "MATRIX_DOMAIN", "is an IP address"),
        ({"MATRIX_DOMAIN": "home"}, "MATRIX_DOMAIN", "has no dot"),
        ({"MATRIX_TLS_MODE": "x"}, "MATRIX_TLS_MODE", "'x' is not one of: acme, files,"),
        (
            {**LAN, "MATRIX_SERVER_NAME": "example.org"},
            "MATRIX_SERVER_NAME",
            "neither matrix.home.lan nor home.lan",
        ),
        (
            {"MATRIX_DOMAIN": "home.lan", "MATRIX_TLS_MODE": "files"},
            "MATRIX_TLS_KEY_PATH",
            "is required when MATRIX_TLS_MODE=files",
        ),
        ({"MATRIX_POSTGRES_MEMORY": "1M"}, "MATRIX_POSTGRES_MEMORY", "at least 64M"),
        ({"MATRIX_DEFAULT_COUNTRY_CODE": "de"}, "MATRIX_DEFAULT_COUNTRY_CODE", "such as DE"),
        ({"MATRIX_HTTP_PORT": "0"}, "MATRIX_HTTP_PORT", "at least 1"),
        ({"MATRIX_HTTP_PORT": "443"}, "MATRIX_HTTP_PORT", "also the port of MATRIX_HTTPS_PORT"),
        ({"MATRIX_MAX_UPLOAD_SIZE": "100"}, "MATRIX_MAX_UPLOAD_SIZE", "a unit, one of K, M, G, T"),
        ({"MATRIX_MAX_UPLOAD_SIZE": "1K"}, "MATRIX_MAX_UPLOAD_SIZE", "at least 1M"),
        ({"MATRIX_RETENTION_DEFAULT": "90"}, "MATRIX_RETENTION_DEFAULT", "s, m, h, d, w, y"),
        ({"MATRIX_URL_PREVIEWS": "1"}, "MATRIX_URL_PREVIEWS", "yes, true, on, no, false, off"),
        ({"MATRIX_LISTEN": "localhost"}, "MATRIX_LISTEN", "'localhost' is not an IP address"),
        ({"MATRIX_LISTEN": ","}, "MATRIX_LISTEN", "names nothing"),
        (
            {"MATRIX_TRUSTED_PROXIES": "127.0.0.1,cloudflair"},
            "MATRIX_TRUSTED_PROXIES",
            "'cloudflair' is neither an address or a range",
        ),
        (
            {"MATRIX_TRUSTED_PROXIES": "10.0.0.0/8,::/0"},
            "MATRIX_TRUSTED_PROXIES",
            "::/0 is everybody",
        ),
        (
            {"MATRIX_TLS_MODE": "proxy", "MATRIX_TLS_KEY_PATH": "/k"},
            "MATRIX_TLS_KEY_PATH",
            "has no effect when MATRIX_TLS_MODE=proxy",
        ),
        ({"MATRIX_ADMIN_API_RANGES": "10/8/8"}, "MATRIX_ADMIN_API_RANGES", "or a range"),
        (
            {"MATRIX_FEDERATION": "allowlist"},
            "MATRIX_FEDERATION_ALLOWLIST",
            "is required when MATRIX_FEDERATION=allowlist",
        ),
        ({"MATRIX_PUBLIC_BASE_URL": "example.org"}, "MATRIX_PUBLIC_BASE_URL", "is not a URL"),
        ({"MATRIX_TLS_MODE_FILE": "/nowhere"}, "MATRIX_TLS_MODE_FILE", "No such file"),
    ],
)
def test_a_bad_value_says_what_to_do(
    environment: dict[str, str], subject: str, message: str
) -> None:
    assert message in problems(environment)[subject]


@pytest.mark.parametrize(
    "domain", ["matrix.org", "chat.lan", "EXAMPLE.org.", "xn--bcher-kva.example"]
)
def test_a_domain_that_only_looks_odd_is_accepted(domain: str) -> None:
    loaded = settings.load({"MATRIX_DOMAIN": domain, "MATRIX_TLS_MODE": "off"})
    assert loaded.domain == domain.lower().removesuffix(".")


def test_a_value_is_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("a-long-enough-secret\n")
    loaded = settings.load({"MATRIX_REGISTRATION_SHARED_SECRET_FILE": str(path)})
    assert loaded.registration_shared_secret is not None
    assert loaded.registration_shared_secret.get_secret_value() == "a-long-enough-secret"
    assert "a-long" not in repr(loaded)


def test_a_value_and_its_file_are_one_too_many(tmp_path: Path) -> None:
    found = problems({"MATRIX_BRAND": "x", "MATRIX_BRAND_FILE": str(tmp_path)})
    assert found["MATRIX_BRAND_FILE"] == "MATRIX_BRAND is set too: give one"


def test_a_far_name_is_not_suggested() -> None:
    assert problems({"MATRIX_FOO": "x"})["MATRIX_FOO"] == "is not a variable of the appliance"


def test_a_bad_secret_is_not_shown() -> None:
    found = problems({"MATRIX_REGISTRATION_SHARED_SECRET": "hunter2"})
    assert found["MATRIX_REGISTRATION_SHARED_SECRET"].endswith("at least 16 characters")
    assert "hunter2" not in str(found)


def test_what_kubernetes_injects_is_ignored() -> None:
    injected = {
        "MATRIX_SERVICE_HOST": "10.0.0.1",
        "MATRIX_SERVICE_PORT": "80",
        "MATRIX_SERVICE_PORT_HTTP": "80",
        "MATRIX_PORT": "tcp://10.0.0.1:80",
        "MATRIX_PORT_80_TCP": "tcp://10.0.0.1:80",
        "MATRIX_PORT_80_TCP_PROTO": "tcp",
        "MATRIX_PORT_80_TCP_ADDR": "10.0.0.1",
        "MATRIX_APPLIANCE_SERVICE_HOST": "fd00::1",
    }
    assert settings.load(injected) == settings.load({})
    assert "MATRIX_PORT" in problems({"MATRIX_PORT": "eighty"})


def test_an_empty_variable_is_not_given() -> None:
    assert settings.load({"MATRIX_DOMAIN": "", "PATH": "/bin"}) == settings.load({})


def test_documentation_is_current() -> None:
    page = (ROOT / "docs/environment.md").read_text()
    assert page == render_documentation() + "\n"


def test_every_variable_is_documented() -> None:
    documented = re.findall(r"^\| `MATRIX_(\w+)`", render_documentation(), re.MULTILINE)
    assert [name.lower() for name in documented] == list(Settings.model_fields)


BEHIND = {"MATRIX_DOMAIN": "example.org", "MATRIX_TLS_MODE": "proxy"}


def test_tasks_name_variables_that_there_are() -> None:
    named = {name for names in TASKS.values() for name in names}
    assert named - set(Settings.model_fields) == set()


def test_no_server_need_vouch_for_others() -> None:
    domain = {"MATRIX_DOMAIN": "home.lan", "MATRIX_TLS_MODE": "self-signed"}
    assert settings.load(domain).trusted_key_servers == ("matrix.org",)
    assert settings.load({**domain, "MATRIX_TRUSTED_KEY_SERVERS": "none"}).trusted_key_servers == ()


def test_behind_another_proxy_the_address_is_that_proxys() -> None:
    loaded = settings.load(BEHIND)
    assert (loaded.base_url, loaded.chat_url) == (
        "https://matrix.example.org",
        "https://chat.example.org",
    )
    assert (loaded.tls, loaded.http_port) == (False, 8080)
    moved = settings.load({**BEHIND, "MATRIX_HTTPS_PORT": "8443", "MATRIX_HTTP_PORT": "8448"})
    assert moved.base_url == "https://matrix.example.org:8443"
    assert moved.http_port == moved.federation_port, "the other proxy's is on another machine"


@pytest.mark.parametrize(
    ("given", "networks", "cloudflare"),
    [
        ("", ["127.0.0.0/8", "::1/128"], False),
        ("cloudflare", ["127.0.0.0/8", "::1/128"], True),
        ("172.18.0.2, fd00::/8", ["172.18.0.2/32", "fd00::/8"], False),
        ("CLOUDFLARE,172.18.0.2", ["172.18.0.2/32"], True),
    ],
)
def test_trusted_proxies(given: str, networks: list[str], cloudflare: bool) -> None:
    loaded = settings.load({**BEHIND, "MATRIX_TRUSTED_PROXIES": given})
    assert [*map(str, loaded.trusted_networks)] == networks
    assert loaded.behind_cloudflare is cloudflare


def test_uploads_that_cloudflare_stops_are_warned_about() -> None:
    through = {**BEHIND, "MATRIX_TRUSTED_PROXIES": "cloudflare"}
    assert [*settings.load(through).warnings()] == []
    large = {**through, "MATRIX_MAX_UPLOAD_SIZE": "101M"}
    (warning,) = settings.load(large).warnings()
    assert warning.subject == "MATRIX_MAX_UPLOAD_SIZE"
    assert "is 101M, but Cloudflare" in warning.message
    assert [*settings.load({**BEHIND, "MATRIX_MAX_UPLOAD_SIZE": "1G"}).warnings()] == []
