import re
from dataclasses import replace

import pytest
import yaml
from click.testing import CliRunner

from appliance import settings
from appliance.cli.commands import appliance
from appliance.errors import OperationError
from appliance.proxy_snippets import Place, render_snippet
from appliance.settings import FrontProxy

BEHIND = {"MATRIX_DOMAIN": "example.org", "MATRIX_TLS_MODE": "proxy"}


def snippet(proxy: FrontProxy, **variables: str) -> str:
    loaded = settings.load({**BEHIND, **variables})
    return render_snippet(proxy, loaded, Place.usual(loaded))


@pytest.mark.parametrize("proxy", FrontProxy)
def test_it_is_about_this_deployment(proxy: FrontProxy) -> None:
    text = snippet(proxy)
    for host in ("matrix.example.org", "chat.example.org", "synapse.example.org"):
        assert host in text
    assert "127.0.0.1:8080" in text
    assert "8448" in text
    assert "600" in text
    other = snippet(proxy, MATRIX_HTTP_PORT="9000", MATRIX_FEDERATION="off")
    assert "127.0.0.1:9000" in other
    assert "8448" not in other


@pytest.mark.parametrize("proxy", [FrontProxy.NGINX, FrontProxy.APACHE, FrontProxy.CADDY])
@pytest.mark.parametrize(("given", "allowed"), [("7M", 13.5), ("200M", 201)])
def test_bodies_may_be_a_little_larger_than_the_appliance_takes(
    proxy: FrontProxy, given: str, allowed: float
) -> None:
    assert str(int(allowed * 1024**2)) in snippet(proxy, MATRIX_MAX_UPLOAD_SIZE=given)


@pytest.mark.parametrize("proxy", FrontProxy)
def test_a_server_named_by_its_domain_is_found_there(proxy: FrontProxy) -> None:
    def mentions(text: str) -> list[str]:
        return re.findall(r"(?<![\w.])example\.org(?![\w/.])", text)

    named = snippet(proxy, MATRIX_SERVER_NAME="example.org")
    assert ".well-known/matrix/" in named
    assert mentions(named)
    assert not mentions(snippet(proxy))


@pytest.mark.parametrize("proxy", FrontProxy)
def test_the_proxy_may_be_elsewhere(proxy: FrontProxy) -> None:
    loaded = settings.load({**BEHIND, "MATRIX_HTTPS_PORT": "8443"})
    text = render_snippet(proxy, loaded, replace(Place.usual(loaded), upstream="matrix:80"))
    assert "matrix:80" in text
    assert "127.0.0.1" not in text
    assert "8443" in text


def test_the_address_that_clients_are_told_comes_first() -> None:
    text = snippet(FrontProxy.NGINX, MATRIX_PUBLIC_BASE_URL="https://m.example.net")
    assert "server_name m.example.net matrix.example.org chat.example.org" in text


def test_traefiks_is_yaml_with_both_routers() -> None:
    text = snippet(FrontProxy.TRAEFIK, MATRIX_SERVER_NAME="example.org")
    http = yaml.safe_load(text)["http"]
    assert [*http["routers"]] == ["matrix-appliance", "matrix-appliance-well-known"]
    assert {router["service"] for router in http["routers"].values()} == {*http["services"]}
    # The part that stands in comments is YAML too.
    comment = text.partition("once:\n#\n")[2].partition("#\n# Traefik limits")[0]
    static = yaml.safe_load(re.sub(r"^#  ?", "", comment, flags=re.MULTILINE))
    assert static["entryPoints"]["matrix-federation"]["address"] == ":8448"
    assert static["entryPoints"].pop("web")["http"]["redirections"]
    for point in static["entryPoints"].values():
        assert point["transport"]["respondingTimeouts"]["readTimeout"] == "600s"
        assert point["http"]["encodedCharacters"]["allowEncodedSlash"] is True


def test_the_command_prints_it_for_a_server_behind_a_proxy_only() -> None:
    arguments = ["proxy-snippet", "nginx", "--upstream", "matrix:8080", "--key", "/k.pem"]
    printed = CliRunner(env=BEHIND).invoke(appliance, arguments)
    assert "server matrix:8080;" in printed.output
    assert "ssl_certificate_key /k.pem;" in printed.output
    assert "ssl_certificate /etc/letsencrypt/live/example.org/fullchain.pem;" in printed.output
    refused = CliRunner(env={**BEHIND, "MATRIX_TLS_MODE": "off"}).invoke(appliance, arguments)
    assert isinstance(refused.exception, OperationError)
    assert "MATRIX_TLS_MODE is off" in str(refused.exception)


def test_every_proxy_can_be_asked_for() -> None:
    (argument,) = [one for one in appliance.commands["proxy-snippet"].params if one.name == "proxy"]
    assert [*argument.type.choices] == [*FrontProxy]  # type: ignore[attr-defined]
