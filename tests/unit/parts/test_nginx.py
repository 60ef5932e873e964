import json
import re
import socket

import pytest

from appliance import settings
from appliance.listeners import plain_listeners, tls_listeners
from appliance.parts.contract import Deployment
from appliance.parts.nginx import PART as NGINX
from appliance.parts.nginx import _matrix_hosts

from .deployments import FILES, LAN, PROXY, deployment, texts


def server_of(configuration: str, host: str) -> str:
    """Return the server that answers for a host over the usual port."""
    servers = configuration.split("\n    server {")[1:]
    found = [
        one
        for one in servers
        if re.search(rf"server_name [^;]*(?<![\w.-]){re.escape(host)}[ ;]", one)
        and "listen.conf" in one
    ]
    assert len(found) == 1, host
    return found[0]


def addresses(of: Deployment) -> tuple[list[str], list[str]]:
    plain = plain_listeners(of.settings, of.machine)
    return [*map(str, plain)], [*map(str, tls_listeners(of.settings, of.machine))]


@pytest.mark.parametrize(
    ("environment", "plain", "tls"),
    [
        ({}, ["127.0.0.1:80", "[::1]:80"], []),
        (
            LAN,
            ["0.0.0.0:80", "[::]:80"],
            ["0.0.0.0:443", "[::]:443", "0.0.0.0:8448", "[::]:8448"],
        ),
        (
            {**LAN, "MATRIX_FEDERATION": "off", "MATRIX_HTTPS_PORT": "8443"},
            ["0.0.0.0:80", "[::]:80"],
            ["0.0.0.0:8443", "[::]:8443"],
        ),
        (PROXY, ["0.0.0.0:8080", "[::]:8080"], []),
        (
            {"MATRIX_LISTEN": "192.0.2.1", "MATRIX_HTTP_PORT": "8080"},
            ["192.0.2.1:8080"],
            [],
        ),
    ],
)
def test_it_listens_where_the_settings_say(
    environment: dict[str, str], plain: list[str], tls: list[str]
) -> None:
    of = deployment(environment)
    assert addresses(of) == (plain, tls)
    configuration = texts(NGINX, of)["/run/nginx/nginx.conf"]
    found = re.findall(r"listen (\S+) (?:ssl )?default_server;", configuration)
    assert found == [*plain, *tls, "127.0.0.1:8008"]


def test_without_ipv6_in_the_kernel_its_addresses_are_left_out() -> None:
    of = deployment(LAN, ipv6=False)
    assert addresses(of) == (["0.0.0.0:80"], ["0.0.0.0:443", "0.0.0.0:8448"])
    assert "[::" not in "".join(texts(NGINX, of).values()).replace("~^\\[[0-9a-f:.]+\\]$", "")


def test_ipv6_alone_without_ipv6_in_the_kernel_is_a_problem() -> None:
    found = [*NGINX.problems(deployment({"MATRIX_LISTEN": "::1"}, ipv6=False))]
    assert "MATRIX_LISTEN" in [problem.subject for problem in found]


def test_a_port_that_is_taken_is_a_problem_with_the_name_of_its_holder() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        environment = {
            "MATRIX_LISTEN": "127.0.0.1",
            "MATRIX_HTTP_PORT": str(port),
            "MATRIX_SYNAPSE_PORT": str(port + 1 if port < 65535 else port - 1),
        }
        found = {one.subject: one.message for one in NGINX.problems(deployment(environment))}
    assert f"port {port} is already taken at 127.0.0.1 by py" in found["MATRIX_HTTP_PORT"]


def test_an_address_of_another_machine_is_a_problem() -> None:
    environment = {"MATRIX_LISTEN": "203.0.113.7", "MATRIX_HTTP_PORT": "28080"}
    found = {one.subject: one.message for one in NGINX.problems(deployment(environment))}
    assert found["MATRIX_LISTEN"] == "203.0.113.7 is not an address of this machine"


@pytest.mark.parametrize(
    ("environment", "documents"),
    [
        ({}, {"client": {"m.homeserver": {"base_url": "http://matrix.localhost"}}}),
        (
            {**FILES, "MATRIX_HTTPS_PORT": "8443"},
            {
                "client": {"m.homeserver": {"base_url": "https://matrix.example.org:8443"}},
                "server": {"m.server": "matrix.example.org:8443"},
            },
        ),
        (
            PROXY,
            {
                "client": {"m.homeserver": {"base_url": "https://matrix.example.org"}},
                "server": {"m.server": "matrix.example.org:443"},
            },
        ),
        (
            {**FILES, "MATRIX_PUBLIC_BASE_URL": "https://m.example.net/"},
            {
                "client": {"m.homeserver": {"base_url": "https://m.example.net"}},
                "server": {"m.server": "m.example.net:443"},
            },
        ),
    ],
)
def test_well_known(environment: dict[str, str], documents: dict[str, object]) -> None:
    found = texts(NGINX, deployment({**environment, "MATRIX_CALLS": "off"}))
    prefix = "/run/well-known/matrix/"
    assert documents == {
        path.removeprefix(prefix).removesuffix(".json"): json.loads(text)
        for path, text in found.items()
        if path.startswith(prefix)
    }


def test_the_domain_answers_for_the_server_only_when_it_is_its_name() -> None:
    other = texts(NGINX, deployment(FILES))["/run/nginx/nginx.conf"]
    assert "well-known" not in server_of(other, "example.org")
    named = deployment({**FILES, "MATRIX_SERVER_NAME": "example.org"})
    own = server_of(texts(NGINX, named)["/run/nginx/nginx.conf"], "example.org")
    assert "well-known.conf" in own
    assert "(federation|key)" in own
    assert "api.conf" not in own
    assert 'return 302 "https://matrix.example.org/";' in own


def test_the_admin_api_is_closed_unless_ranges_are_named() -> None:
    closed = server_of(
        texts(NGINX, deployment(FILES))["/run/nginx/nginx.conf"], "synapse.example.org"
    )
    assert re.search(r"location /_synapse/admin/ \{\s+return 404;\s+\}", closed)
    ranges = {**FILES, "MATRIX_ADMIN_API_RANGES": "192.168.0.0/16,fd00::/8"}
    opened = server_of(
        texts(NGINX, deployment(ranges))["/run/nginx/nginx.conf"], "synapse.example.org"
    )
    admin = opened.partition("location /_synapse/admin/ {")[2].partition("include")[0]
    assert re.search(r'if \(\$administrator = ""\) \{\s+return 404;', admin)
    whole = texts(NGINX, deployment(ranges))["/run/nginx/nginx.conf"]
    assert whole.partition("$administrator {")[2].partition("}")[0].split() == [
        *("192.168.0.0/16", "1;"),
        *("fd00::/8", "1;"),
    ]


def test_no_other_server_leads_to_the_admin_api() -> None:
    found = texts(NGINX, deployment({**FILES, "MATRIX_ADMIN_API_RANGES": "0.0.0.0/0"}))
    assert [path for path, text in found.items() if "_synapse/admin/ {" in text] == [
        "/run/nginx/nginx.conf"
    ]
    assert found["/run/nginx/nginx.conf"].count("_synapse/admin/ {") == 1


def test_every_way_to_synapse_is_judged_before_its_uri_is_decoded() -> None:
    found = texts(NGINX, deployment({**FILES, "MATRIX_ADMIN_API_RANGES": "10.0.0.0/8"}))
    for path in ("/run/nginx/nginx.conf", "/run/nginx/api.conf"):
        for location in re.split(r"\n\s*location ", found[path])[1:]:
            if "synapse.conf" in location and not location.startswith("= "):
                assert "if ($request_uri !~ " in location, location


def test_uploads_are_limited_to_what_synapse_takes() -> None:
    api = texts(NGINX, deployment({"MATRIX_MAX_UPLOAD_SIZE": "7M"}))["/run/nginx/api.conf"]
    assert f"client_max_body_size {7 * 1024**2};" in api


@pytest.mark.parametrize(("federation", "closed"), [("on", False), ("off", True)])
def test_federation_is_closed_when_it_is_off(federation: str, closed: bool) -> None:
    found = texts(NGINX, deployment({**LAN, "MATRIX_FEDERATION": federation}))
    assert ("return 404" in found["/run/nginx/api.conf"].partition("(federation|key)")[2]) == closed
    assert ("/run/well-known/matrix/server.json" in found) != closed


def test_only_a_certificate_that_others_trust_is_made_compulsory() -> None:
    def strict(environment: dict[str, str]) -> set[str]:
        return {
            path
            for path, text in texts(NGINX, deployment(environment)).items()
            if "Strict-Transport-Security" in text
        }

    where = {"/run/nginx/headers.conf", "/run/nginx/synapse.conf"}
    assert strict(FILES) == strict(LAN) == strict(PROXY) == where
    assert strict({}) == set()
    # What the header says under TLS is written beside the certificate; see test_refresh.py.
    for environment in (FILES, LAN):
        configuration = texts(NGINX, deployment(environment))["/run/nginx/nginx.conf"]
        assert "include /run/tls/current/strict-transport.conf;" in configuration
        assert "max-age" not in configuration


def test_behind_another_proxy_only_that_one_is_answered_and_believed() -> None:
    def geo(configuration: str, variable: str) -> list[str]:
        block = re.search(rf"geo \S+ \${variable} \{{(.*?)\}}", configuration, re.DOTALL)
        return re.findall(r"(\S+) 1;", block[1]) if block else []

    alone = texts(NGINX, deployment(PROXY))
    configuration = alone["/run/nginx/nginx.conf"]
    assert geo(configuration, "served_peer") == ["127.0.0.0/8", "::1/128"]
    assert re.findall(r"set_real_ip_from (\S+);", configuration) == ["127.0.0.0/8", "::1/128"]
    assert "ssl" not in configuration.replace("ssl_", "")
    assert "X-Forwarded-For $client_address;" in alone["/run/nginx/synapse.conf"]
    assert re.search(r'map "" \$client_address \{\s+default \$remote_addr;', configuration)

    environment = {
        **PROXY,
        "MATRIX_LISTEN": "192.0.2.1",
        "MATRIX_TRUSTED_PROXIES": "172.18.0.0/16,Cloudflare",
    }
    named = texts(NGINX, deployment(environment))
    configuration = named["/run/nginx/nginx.conf"]
    served = ["172.18.0.0/16", "127.0.0.0/8", "::1/128", "192.0.2.1"]
    assert geo(configuration, "served_peer") == served, "the proxy, and this machine's own probes"
    assert re.findall(r"set_real_ip_from (\S+);", configuration) == ["172.18.0.0/16"]
    assert len(geo(configuration, "from_cloudflare")) == 22
    assert "X-Forwarded-For $client_address;" in named["/run/nginx/synapse.conf"]


def test_nobody_is_believed_unless_named() -> None:
    for environment in ({}, LAN, FILES):
        found = "".join(texts(NGINX, deployment(environment)).values())
        assert "real_ip" not in found
        assert "http_cf" not in found
    cloudflare = texts(NGINX, deployment({**FILES, "MATRIX_TRUSTED_PROXIES": "cloudflare"}))
    assert "real_ip" not in cloudflare["/run/nginx/nginx.conf"]
    assert "geo $remote_addr $from_cloudflare" in cloudflare["/run/nginx/nginx.conf"]


def test_without_element_its_host_shows_the_landing_page() -> None:
    configuration = texts(NGINX, deployment(element=False))["/run/nginx/nginx.conf"]
    assert "landing.conf" in server_of(configuration, "chat.localhost")
    assert "server_name chat.localhost" not in texts(NGINX, deployment())["/run/nginx/nginx.conf"]


def test_own_authority_is_offered_without_tls_too() -> None:
    configuration = texts(NGINX, deployment(LAN))["/run/nginx/nginx.conf"]
    plain = configuration.partition("return 301")[0].rpartition("server {")[2]
    assert "landing.conf" in plain
    assert "appliance-ca.crt" in texts(NGINX, deployment(LAN))["/run/nginx/landing.conf"]
    assert "appliance-ca.crt" not in texts(NGINX, deployment(FILES))["/run/nginx/landing.conf"]


@pytest.mark.parametrize("environment", [{}, LAN, FILES])
def test_it_is_asked_where_clients_ask(environment: dict[str, str]) -> None:
    of = deployment(environment)
    (probe,) = NGINX.probes(of)
    assert probe.tls == bool(environment)
    assert probe.address == ("127.0.0.1:443" if environment else "127.0.0.1:80")
    assert probe.host == of.settings.matrix_host


def test_workers_follow_the_cores_to_a_limit() -> None:
    assert "worker_processes 2;" in texts(NGINX, deployment())["/run/nginx/nginx.conf"]


@pytest.mark.parametrize(
    ("environment", "needed"),
    [
        ({}, True),
        ({"MATRIX_HTTP_PORT": "8080"}, False),
        (PROXY, False),
        ({**FILES, "MATRIX_HTTP_PORT": "8080"}, True),
        ({**FILES, "MATRIX_HTTP_PORT": "8080", "MATRIX_HTTPS_PORT": "8443"}, False),
    ],
)
def test_it_asks_for_a_capability_only_where_it_needs_one(
    environment: dict[str, str], needed: bool
) -> None:
    (program,) = NGINX.programs(deployment(environment))
    assert program.user == "nginx"
    assert program.ports_below_1024 is needed


def test_the_address_that_clients_are_told_is_answered() -> None:
    given = {"MATRIX_DOMAIN": "home.lan", "MATRIX_TLS_MODE": "off"}
    loaded = settings.load({**given, "MATRIX_PUBLIC_BASE_URL": "https://elsewhere.example:8443"})
    assert _matrix_hosts(loaded) == ["matrix.home.lan", "synapse.home.lan", "elsewhere.example"]
    assert _matrix_hosts(settings.load(given)) == ["matrix.home.lan", "synapse.home.lan"]


@pytest.mark.parametrize(
    ("listen", "addresses"),
    [
        ("0.0.0.0,::", ("127.0.0.1:443", "127.0.0.1:8448")),
        ("::,192.0.2.7", ("192.0.2.7:443", "192.0.2.7:8448")),
        ("::", ("[::1]:443", "[::1]:8448")),
        ("2001:db8::7", ("[2001:db8::7]:443", "[2001:db8::7]:8448")),
    ],
)
def test_every_port_with_tls_is_asked_for_its_certificate(
    listen: str, addresses: tuple[str, ...]
) -> None:
    (service,) = NGINX.tls_services(deployment({**LAN, "MATRIX_LISTEN": listen}))
    assert service.addresses == addresses
    assert [*NGINX.tls_services(deployment())] == []
