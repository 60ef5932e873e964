"""`appliance user …`: the accounts of this server."""

import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TypeVar

import click

from appliance.cli import running
from appliance.cli.bridges import log_out_everywhere
from appliance.cli.table import format_table
from appliance.cli.verb import Verb
from appliance.codes import make_code
from appliance.errors import OperationError

_Command = TypeVar("_Command", bound=Callable[..., object])


@click.group()
def user() -> None:
    """Add, list and close accounts.

    NAME is a user's name (alice) or whole user ID (@alice:SERVER).
    """


def _password_option(command: _Command) -> _Command:
    return click.option(
        "--password-stdin", is_flag=True, help="Read the password from standard input."
    )(command)


@user.command(
    "add",
    cls=Verb,
    examples=[
        "docker exec -it CONTAINER appliance user add alice --admin",
        "docker exec CONTAINER appliance user add bob",
        "docker exec -i CONTAINER appliance user add carol --password-stdin < password",
    ],
)
@click.argument("name")
@click.option("--admin", is_flag=True, help="Make it a server administrator.")
@_password_option
def add_user(name: str, admin: bool, password_stdin: bool) -> None:
    """Make an account.

    Asks for the password on a terminal (nothing typed: one is made); without a terminal one is made
    and printed.
    """
    settings = running.load_settings()
    admin_api = running.connect_admin(settings)
    user_id = admin_api.user_id(name)
    password, made = choose_password(from_stdin=password_stdin)
    admin_api.add_user(user_id, password, admin=admin)
    click.echo(f"made {user_id}{', a server administrator' if admin else ''}")
    _print_password(password, made=made)
    click.echo(f"Log in at {settings.chat_url} or with another client at {settings.base_url}")


@user.command(
    "list", cls=Verb, examples=["appliance user list", "appliance user list --all --json"]
)
@click.option("--all", "everyone", is_flag=True, help="Deactivated and internal accounts too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_users(everyone: bool, as_json: bool) -> None:
    """List the accounts of this server."""
    admin_api = running.connect_admin(running.load_settings())
    users = [
        user for user in admin_api.users() if everyone or not (user.internal or user.deactivated)
    ]
    if as_json:
        click.echo(json.dumps([asdict(user) for user in users], indent=2))
        return
    rows = [
        (
            user.user_id,
            user.display_name or "",
            ", ".join(_marks(user.admin, user.deactivated, user.internal)),
            _day(user.created),
            _day(user.last_seen),
        )
        for user in users
    ]
    click.echo(format_table(("USER", "NAME", "", "MADE", "LAST SEEN"), rows))


@user.command(
    "password",
    cls=Verb,
    examples=[
        "appliance user password alice",
        "appliance user password alice --keep-devices --password-stdin < password",
    ],
)
@click.argument("name")
@click.option("--keep-devices", is_flag=True, help="Leave the user's devices logged in.")
@_password_option
def change_password(name: str, keep_devices: bool, password_stdin: bool) -> None:
    """Give an account another password.

    Logs all its devices out: encrypted history is then readable only with the user's recovery key
    or another verified device. With --keep-devices they stay logged in.
    """
    admin_api = running.connect_admin(running.load_settings())
    admin_api.changeable_user(name)
    password, made = choose_password(from_stdin=password_stdin)
    admin_api.set_password(name, password, keep_devices=keep_devices)
    click.echo(f"changed the password of {admin_api.user_id(name)}")
    _print_password(password, made=made)


@user.command(
    "deactivate",
    cls=Verb,
    examples=["appliance user deactivate bob", "appliance user deactivate bob --erase --yes"],
)
@click.argument("name")
@click.option("--erase", is_flag=True, help="Hide its messages from who joins a room later.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def deactivate_user(name: str, erase: bool, yes: bool) -> None:
    """Close an account for good.

    It is logged out of every bridge and leaves its rooms; its name stays taken.
    """
    settings = running.load_settings()
    admin_api = running.connect_admin(settings)
    user_id = admin_api.changeable_user(name).user_id
    if not yes:
        if not sys.stdin.isatty():
            raise click.UsageError("there is no terminal to ask on: add --yes")
        click.confirm(f"Close {user_id} for good?", abort=True)
    log_out_everywhere(settings, user_id)
    admin_api.deactivate(name, erase=erase)
    click.echo(f"deactivated {user_id}")


@user.command(
    "admin",
    cls=Verb,
    examples=["appliance user admin alice --grant", "appliance user admin alice --revoke"],
)
@click.argument("name")
@click.option("--grant/--revoke", required=True, help="Make it an administrator, or no longer.")
def change_admin(name: str, grant: bool) -> None:
    """Make an account a server administrator, or no longer."""
    admin_api = running.connect_admin(running.load_settings())
    admin_api.set_admin(name, admin=grant)
    word = "now" if grant else "no longer"
    click.echo(f"{admin_api.user_id(name)} is {word} a server administrator")


def choose_password(*, from_stdin: bool) -> tuple[str, bool]:
    """Return a password, and whether it was made here and must be told."""
    if from_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
        if not password:
            raise OperationError("there is no password on standard input")
        return password, False
    if sys.stdin.isatty() and (password := _ask_for_password()):
        return password, False
    return make_code(), True


def _ask_for_password() -> str:
    """Ask until the same is typed twice; return nothing if nothing is typed."""
    while password := _prompt("Password (empty: one is made)"):
        if _prompt("Again") == password:
            break
        click.echo("These were two different ones.")
    return password


def _prompt(question: str) -> str:
    return str(click.prompt(question, hide_input=True, default="", show_default=False))


def _print_password(password: str, *, made: bool) -> None:
    if made:
        click.echo(f"password: {password}")


def _marks(admin: bool, deactivated: bool, internal: bool) -> list[str]:
    marks = {"admin": admin, "deactivated": deactivated, "internal": internal}
    return [mark for mark, holds in marks.items() if holds]


def _day(seconds: int | None) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d") if seconds else "never"


COMMANDS = (user,)
