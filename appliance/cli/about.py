"""`appliance licences` and `appliance version`: what this image is made of."""

import json
from pathlib import Path

import click

from appliance import __version__
from appliance.cli.table import format_table
from appliance.cli.verb import Verb
from appliance.errors import OperationError

SHARE = Path("/usr/share/appliance")


@click.command(cls=Verb, examples=["appliance licences", "appliance licences --full synapse"])
@click.option("--full", metavar="NAME", help="Print the licence text of one component.")
def licences(full: str | None) -> None:
    """List the components with their licences.

    Ends with how to get the sources.
    """
    if full is not None:
        click.echo_via_pager(read_licence(SHARE, full))
        return
    click.echo(list_licences(SHARE))


@click.command(cls=Verb, examples=["appliance version"])
def version() -> None:
    """Print the version of the appliance."""
    click.echo(f"matrix-appliance {__version__}")


def list_licences(share: Path) -> str:
    """Return the components with their licences, and how to get the sources."""
    rows = [
        (row["name"], row["version"] or "", row["licence"], row["homepage"])
        for row in json.loads((share / "components.json").read_text())
        if row["status"] != "missing"
    ]
    table = format_table(("COMPONENT", "VERSION", "LICENCE", "HOMEPAGE"), rows)
    return f"{table}\n\n{(share / 'licences/SOURCES').read_text().rstrip()}"


def read_licence(share: Path, name: str) -> str:
    """Return the licence text of a component. Raise OperationError if there is none."""
    texts = {path.stem: path for path in sorted((share / "licences").glob("*.txt"))}
    if name not in texts:
        raise OperationError(f"there is no licence text of {name}; there are: {', '.join(texts)}")
    return texts[name].read_text()


COMMANDS = (licences, version)
