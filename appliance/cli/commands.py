"""All verbs of the `appliance` command in one tree. Does nothing itself."""

import sys

import click

from appliance.cli import (
    about,
    bridges,
    certificate,
    configuration,
    dns,
    doctor,
    invitations,
    logs,
    ports,
    selfcheck,
    status,
    users,
    web,
)
from appliance.cli.health import report
from appliance.cli.verb import Verb

_HELP = """Look after this Matrix server. From outside the container:

\b
  docker exec -it CONTAINER appliance user add alice --admin

Exit status: 0 well, 1 failed or not well, 2 wrong configuration or usage.
"""


@click.group(help=_HELP, context_settings={"help_option_names": ["-h", "--help"]})
def appliance() -> None:
    """Take the verb that follows."""


@appliance.command(cls=Verb, examples=["appliance health"])
def health() -> None:
    """Ask the essential parts (Docker's HEALTHCHECK).

    Prints one line; exits with 0 if all answer, 1 otherwise. `appliance status` says more.
    """
    sys.exit(report())


for command in (
    *configuration.COMMANDS,
    *web.COMMANDS,
    *status.COMMANDS,
    *doctor.COMMANDS,
    *ports.COMMANDS,
    *users.COMMANDS,
    *invitations.COMMANDS,
    *bridges.COMMANDS,
    *dns.COMMANDS,
    *logs.COMMANDS,
    *certificate.COMMANDS,
    *about.COMMANDS,
    *selfcheck.COMMANDS,
):
    appliance.add_command(command)
