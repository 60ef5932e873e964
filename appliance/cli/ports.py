"""`appliance ports`: what the router and the firewall must let through, ready to paste."""

import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import click

from appliance.cli.running import choose_environment
from appliance.cli.table import format_table
from appliance.cli.verb import Verb

if TYPE_CHECKING:
    from appliance.parts.contract import PublicPort

_NONE = "No port has to be reachable: the server listens on loopback addresses alone."


@click.command(
    cls=Verb,
    examples=[
        "appliance ports",
        "docker run --rm --env-file appliance.env -v matrix:/data matrix-appliance ports",
    ],
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def ports(as_json: bool) -> None:
    """List the ports to open on the router and the firewall.

    With --network host Docker opens none. The variables are chosen as in `appliance check`.
    """
    from appliance import credentials, entrypoint, machine, settings
    from appliance.parts.contract import Deployment

    environment = choose_environment()
    deployment = Deployment(
        settings.load(environment), credentials.Credentials({}), machine.measure()
    )
    found = entrypoint.public_ports(deployment)
    if as_json:
        rows = [
            {"protocol": port.protocol, "first": port.first, "last": port.last or port.first}
            for port in found
        ]
        click.echo(json.dumps(rows, indent=2))
    else:
        click.echo("\n".join(_format(found)) if found else _NONE)


def _format(found: "Iterable[PublicPort]") -> Iterator[str]:
    yield format_table(("PORT", "FOR"), [(str(port), port.purpose) for port in found])
    yield "\nOn the router forward each to this machine. With ufw:\n"
    for port in found:
        ports = f"{port.first}:{port.last}" if port.last else str(port.first)
        yield f"  ufw allow {ports}/{port.protocol}"
    yield "\nWith firewalld:\n"
    yield "  firewall-cmd --permanent " + " ".join(f"--add-port={port}" for port in found)
    yield "  firewall-cmd --reload"


COMMANDS = (ports,)
