"""`appliance bridge …`: the bridges of this server and who uses them."""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from appliance.cli import running
from appliance.cli.logs import logs
from appliance.cli.table import format_table
from appliance.cli.verb import Verb
from appliance.errors import OperationError
from appliance.supervisor_client import SupervisorClient

if TYPE_CHECKING:
    from appliance.bridges.catalogue import Bridge
    from appliance.bridges.provisioning import Login, Provisioning
    from appliance.settings import Settings

_LOST = """\
This removes what the bridge to {title} knows: every log-in of every user, which chat is which room,
and its keys. Rooms stay with their history, but nothing comes into them any more; who logs in again
gets new ones. Accounts at {title} are not touched, and may still list this bridge as a device."""


@click.group()
def bridge() -> None:
    """Look after the bridges to other networks.

    NAME is one of those in `appliance bridge list`.
    """


@bridge.command("list", cls=Verb, examples=["appliance bridge list"])
def list_bridges() -> None:
    """List every bridge there is: which run here, and what the others need."""
    from appliance import machine
    from appliance.bridges import selection
    from appliance.bridges.catalogue import CATALOGUE

    settings, here = running.load_settings(), machine.measure()
    enabled = selection.enabled(settings, here)
    left_out = selection.left_out(settings, here)
    rows = []
    for one in CATALOGUE:
        state = "on" if one in enabled else "left out" if one in left_out else "off"
        note = "" if one in enabled else selection.find_gap(one, settings, here)
        bot = f"@{one.bot}:{settings.server_name}"
        rows.append((one.name, one.title, state, bot, one.prefix, note))
    click.echo(format_table(("NAME", "NETWORK", "", "BOT", "PREFIX", ""), rows))


@bridge.command(
    "status", cls=Verb, examples=["appliance bridge status", "appliance bridge status whatsapp"]
)
@click.argument("name", required=False)
def show_status(name: str | None) -> None:
    """Show who has logged in by which bridge, and how each log-in is.

    Exits with 1 if a bridge does not answer.
    """
    settings = running.load_settings()
    rows, silent = [], []
    for one in _choose(settings, name):
        if not _has_logins(one):
            rows.append((one.name, "", "", f"is looked after in the chat with @{one.bot}"))
            continue
        try:
            logins = list(_logins(one, settings))
        except OperationError as error:
            silent.append(f"{one.name}: {error}")
            continue
        if not logins:
            rows.append((one.name, "", "", "nobody has logged in"))
        rows += [
            (one.name, login.user_id, login.name, f"{login.state.lower()} {login.problem}".strip())
            for login in logins
        ]
    click.echo(format_table(("BRIDGE", "USER", "ACCOUNT", "STATE"), rows))
    if silent:
        raise OperationError("; ".join(silent))


@bridge.command("logs", cls=Verb, examples=["appliance bridge logs whatsapp -f"])
@click.argument("name")
@click.option("-f", "--follow", is_flag=True, help="Go on with what it says from now on.")
@click.option(
    *("-n", "--lines"),
    type=click.IntRange(min=0),
    default=50,
    metavar="N",
    help="How many of the last lines (50).",
)
@click.pass_context
def show_logs(context: click.Context, name: str, follow: bool, lines: int) -> None:
    """Show what a bridge said last."""
    (one,) = _choose(running.load_settings(), name)
    context.invoke(logs, program=one.name, follow=follow, lines=lines)


@bridge.command(
    "reset", cls=Verb, examples=["docker exec -it CONTAINER appliance bridge reset whatsapp"]
)
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
def reset(name: str, yes: bool) -> None:
    """Let a bridge begin anew, with an empty database.

    Says what is lost, and asks.
    """
    from appliance.bridges import database

    settings = running.load_settings()
    (one,) = _choose(settings, name)
    if not _has_logins(one):
        raise OperationError(f"{name} has no data of its own: its bot has commands to start anew")
    click.echo(_LOST.format(title=one.title))
    if not yes:
        if not sys.stdin.isatty():
            raise click.UsageError("there is no terminal to ask on: add --yes")
        click.confirm(f"Reset {one.name}?", abort=True)
    supervisor = SupervisorClient()
    supervisor.stop(one.name)
    database.empty(one.name, settings)
    supervisor.start(one.name)
    click.echo(f"reset {one.name}; it starts anew")


@bridge.command("log-out-closed", cls=Verb, examples=["appliance bridge log-out-closed"])
def log_out_closed() -> None:
    """Log everybody whose account is closed out of every bridge.

    The agent does it by itself, every few minutes. Exits with 1 if a bridge does not answer.
    """
    settings = running.load_settings()
    bridges = tuple(filter(_has_logins, _choose(settings, None)))
    users = sorted({user for one in bridges for user in _users(one, settings)})
    admin_api = running.connect_admin(settings) if users else None
    closed = [user for user in users if admin_api and admin_api.user(user).deactivated]
    reached = [log_out_everywhere(settings, user) for user in closed]
    if not all(reached):
        raise OperationError("not everybody could be logged out")


def log_out_everywhere(settings: "Settings", user_id: str) -> bool:
    """Log a user of this server out of every bridge, and say so.

    Return whether it is so; what could not be reached is said.
    """
    reached = True
    for one in filter(_has_logins, _choose(settings, None)):
        try:
            for login in _logins(one, settings, [user_id]):
                _provisioning(one, settings).log_out(login)
                click.echo(f"logged {user_id} out of {one.title} ({login.name})")
        except OperationError as error:
            click.echo(f"not logged out of {one.title}: {error}", err=True)
            reached = False
    return reached


def _choose(settings: "Settings", name: str | None) -> "tuple[Bridge, ...]":
    """Return the bridge of a name, or all that run here. Raise OperationError if it does not."""
    from appliance import machine
    from appliance.bridges import selection

    enabled = selection.enabled(settings, machine.measure())
    if name is None:
        return enabled
    chosen = tuple(one for one in enabled if one.name == name)
    if not chosen:
        here = ", ".join(one.name for one in enabled) or "none"
        raise OperationError(f"{name} is not a bridge that runs here: {here}")
    return chosen


def _has_logins(one: "Bridge") -> bool:
    from appliance.bridges.catalogue import Framework

    return one.framework is Framework.MAUTRIX


def _logins(
    one: "Bridge", settings: "Settings", users: list[str] | None = None
) -> "Iterator[Login]":
    provisioning = _provisioning(one, settings)
    for user_id in _users(one, settings) if users is None else users:
        yield from provisioning.logins(user_id)


def _users(one: "Bridge", settings: "Settings") -> list[str]:
    from appliance.bridges import database

    return database.list_users(one.name, settings)


def _provisioning(one: "Bridge", settings: "Settings") -> "Provisioning":
    from appliance import credentials
    from appliance.bridges.configuration import credential_name, listener
    from appliance.bridges.provisioning import Provisioning
    from appliance.credentials import Credential

    name = credential_name(one.name, "provisioning_secret")
    secret = credentials.load([Credential(name)])[name]
    return Provisioning(listener(one, settings), secret)


COMMANDS = (bridge,)
