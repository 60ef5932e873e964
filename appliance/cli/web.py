"""`appliance well-known` and `appliance proxy-snippet`: what belongs on another web server."""

from dataclasses import replace

import click

from appliance.cli.running import choose_environment
from appliance.cli.verb import Verb
from appliance.errors import OperationError

_PROXIES = ("nginx", "caddy", "traefik", "apache")


@click.command(
    cls=Verb,
    examples=[
        "docker exec CONTAINER appliance well-known",
        "docker run --rm --env-file appliance.env matrix-appliance well-known",
    ],
)
def well_known() -> None:
    """Print the documents by which others find this server.

    For a domain whose web server is elsewhere while user IDs end with it
    (MATRIX_SERVER_NAME=DOMAIN): put them there. They change only with the address.
    """
    from appliance import machine, settings
    from appliance.parts import rtc
    from appliance.well_known import describe

    loaded = settings.load(choose_environment())
    click.echo(describe(loaded, rtc.service_url(loaded, machine.measure())))


@click.command(
    cls=Verb,
    examples=[
        "docker exec CONTAINER appliance proxy-snippet nginx",
        "docker exec CONTAINER appliance proxy-snippet caddy --upstream matrix:8080",
    ],
)
@click.argument("proxy", type=click.Choice(_PROXIES))
@click.option("--upstream", metavar="HOST:PORT", help="Where the proxy reaches the appliance.")
@click.option("--certificate", metavar="PATH", help="The certificate chain on the proxy's machine.")
@click.option("--key", metavar="PATH", help="Its private key there.")
def proxy_snippet(
    proxy: str, upstream: str | None, certificate: str | None, key: str | None
) -> None:
    """Print the configuration of another proxy in front.

    Works as it is for a proxy on the same machine with certbot's certificates. The variables are
    chosen as in `appliance check`, and MATRIX_TLS_MODE has to be proxy.
    """
    from appliance import settings
    from appliance.proxy_snippets import Place, render_snippet
    from appliance.settings import FrontProxy

    loaded = settings.load(choose_environment())
    if not loaded.behind_proxy:
        raise OperationError(
            f"MATRIX_TLS_MODE is {loaded.tls_mode}: the appliance expects another proxy in front "
            "only with MATRIX_TLS_MODE=proxy"
        )
    given = {"upstream": upstream, "certificate": certificate, "key": key}
    place = Place.usual(loaded)
    place = replace(place, **{name: value for name, value in given.items() if value})
    click.echo(render_snippet(FrontProxy(proxy), loaded, place), nl=False)


COMMANDS = (well_known, proxy_snippet)
