"""`appliance selfcheck`: whether an image holds what the appliance needs; for who builds one."""

import os
from pathlib import Path

import click

from appliance.cli.verb import Verb
from appliance.errors import OperationError
from appliance.selfcheck import find_gaps


@click.command(cls=Verb, hidden=True, examples=["appliance selfcheck"])
@click.option(
    "--root",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=Path("/"),
    help="Where the image's files are.",
)
def selfcheck(root: Path) -> None:
    """Look for every program, path, module and user that the image must hold.

    Run by every build of an image; of components that it was built without nothing is asked.
    """
    gaps = [*find_gaps(root, os.environ.get("PATH", os.defpath))]
    if gaps:
        raise OperationError("\n  ".join(["this image lacks what it needs:", *gaps]))
    click.echo("This image holds what the appliance needs.")


COMMANDS = (selfcheck,)
