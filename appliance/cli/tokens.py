"""`appliance token …`: registration tokens, with which people make their own accounts."""

import json
import time
from dataclasses import asdict
from datetime import UTC, datetime

import click

from appliance.cli import running
from appliance.cli.table import format_table
from appliance.cli.verb import Verb

_DAY_SECONDS = 86400


@click.group()
def token() -> None:
    """Invite people: tokens with which they register themselves."""


@token.command(
    "create",
    cls=Verb,
    examples=["appliance token create", "appliance token create --uses 20 --days 1"],
)
@click.option(
    "--uses",
    type=click.IntRange(min=0),
    default=1,
    metavar="N",
    help="How many may register with it (1); 0: any number.",
)
@click.option(
    "--days",
    type=click.IntRange(min=0),
    default=7,
    metavar="N",
    help="How long it is good (7); 0: for ever.",
)
def create_token(uses: int, days: int) -> None:
    """Make a registration token and print it."""
    settings = running.load_settings()
    expires = int(time.time()) + days * _DAY_SECONDS if days else None
    made = running.connect_admin(settings).create_token(uses or None, expires)
    click.echo(made.token)
    if settings.registration == "token":
        click.echo(f"Register with it at {settings.chat_url}/#/register", err=True)
    else:
        click.echo(
            f"Nobody needs it now: MATRIX_REGISTRATION is {settings.registration}, not token.",
            err=True,
        )


@token.command("list", cls=Verb, examples=["appliance token list"])
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_tokens(as_json: bool) -> None:
    """List registration tokens, used and expired ones included."""
    tokens = running.connect_admin(running.load_settings()).tokens()
    if as_json:
        click.echo(json.dumps([asdict(token) for token in tokens], indent=2))
        return
    rows = [
        (
            token.token,
            f"{token.used} of {'any' if token.uses_allowed is None else token.uses_allowed}",
            _describe_end(token.expires),
        )
        for token in tokens
    ]
    click.echo(format_table(("TOKEN", "USED", "UNTIL"), rows))


@token.command("revoke", cls=Verb, examples=["appliance token revoke TOKEN"])
@click.argument("value", metavar="TOKEN")
def revoke_token(value: str) -> None:
    """Delete a registration token; accounts made with it stay."""
    running.connect_admin(running.load_settings()).revoke_token(value)
    click.echo("revoked")


def _describe_end(expires: int | None) -> str:
    if expires is None:
        return "for ever"
    text = datetime.fromtimestamp(expires, UTC).strftime("%Y-%m-%d %H:%M UTC")
    return f"{text} (over)" if expires < time.time() else text


COMMANDS = (token,)
