"""`appliance well-known`: what somebody else's web server has to hold for this one to be found."""

import click

from appliance.cli.running import choose_environment
from appliance.cli.verb import Verb


@click.command(
    cls=Verb,
    examples=[
        "docker exec CONTAINER appliance well-known",
        "docker run --rm --env-file appliance.env matrix-appliance well-known",
    ],
)
def well_known() -> None:
    """Print the documents by which clients and servers find this one.

    For a domain whose web server is elsewhere while user IDs end with it
    (MATRIX_SERVER_NAME=DOMAIN): put them there. They change only with the address.
    """
    from appliance import settings
    from appliance.well_known import describe

    click.echo(describe(settings.load(choose_environment())))


COMMANDS = (well_known,)
