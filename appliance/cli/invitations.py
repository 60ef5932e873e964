"""`appliance invite …`: links with which people make their own accounts."""

import json
import re
import time
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from appliance.cli import running
from appliance.cli.table import format_table
from appliance.cli.verb import Verb
from appliance.errors import OperationError

if TYPE_CHECKING:
    from appliance.invitations import Note
    from appliance.settings import Settings
    from appliance.synapse_admin import RegistrationToken, SynapseAdmin

_NAME = re.compile(r"[a-z0-9._=/+-]+")


class DefaultGroup(click.Group):
    """A group of which one verb is meant where none is named."""

    default = "new"

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the default verb before what is no verb and no call for help."""
        if not args or args[0] not in (*self.commands, *self.get_help_option_names(ctx)):
            args = [self.default, *args]
        return super().parse_args(ctx, args)


@click.group(cls=DefaultGroup)
def invite() -> None:
    """Invite people: a link with which they make their own account.

    `appliance invite [NAME] …` is `appliance invite new [NAME] …`.
    """


@invite.command(
    "new",
    cls=Verb,
    examples=[
        "appliance invite",
        "appliance invite bob",
        "appliance invite --uses 20 --days 1",
        "appliance invite --admin",
    ],
)
@click.argument("name", required=False, default="")
@click.option("--admin", is_flag=True, help="Who joins by it becomes a server administrator.")
@click.option(
    "--uses",
    type=click.IntRange(min=0),
    default=1,
    metavar="N",
    help="How many may join by it (1); 0: any number.",
)
@click.option(
    "--days",
    type=click.IntRange(min=0),
    default=7,
    metavar="N",
    help="How long it is good (7); 0: for ever.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def new_invitation(name: str, admin: bool, uses: int, days: int, as_json: bool) -> None:
    """Make an invitation and print its link, also as a QR code.

    NAME is proposed on the page that the link leads to; there everybody chooses for themselves.
    """
    from appliance.invitations import Note
    from appliance.invitations.link import draw_code, make_link
    from appliance.invitations.making import make_invitation

    if name and uses != 1:
        raise click.UsageError("NAME is for one person: leave it out or --uses")
    if admin and (uses != 1 or not days):
        raise click.UsageError("--admin makes one administrator, in time: leave out --uses 0 …")
    settings = running.load_settings()
    _check_that_people_may_join(settings, admin=admin)
    admin_api = running.connect_admin(settings)
    proposed = _propose(name, admin_api) if name else ""
    note = Note(proposed, admin)
    made = make_invitation(admin_api, note, uses, days)
    link = make_link(settings.base_url, made.token, proposed)
    if as_json:
        click.echo(json.dumps({"link": link, **_describe(made, note)}, indent=2))
        return
    click.echo(link)
    # Its colours are part of it, also where `docker exec` gives no terminal.
    click.echo(f"\n{draw_code(link)}\n", color=True)
    for line in _explain(settings, made, admin=admin):
        click.echo(line)


@invite.command("list", cls=Verb, examples=["appliance invite list"])
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_invitations(as_json: bool) -> None:
    """List invitations, used and expired ones included."""
    from appliance.invitations import Notes

    tokens = running.connect_admin(running.load_settings()).tokens()
    notes = Notes()
    if as_json:
        rows = [_describe(token, notes.find(token.token)) for token in tokens]
        click.echo(json.dumps(rows, indent=2))
        return
    table = []
    for token in tokens:
        note = notes.find(token.token)
        uses = "any" if token.uses_allowed is None else token.uses_allowed
        marks = "admin" if note.admin else ""
        end = _describe_end(token.expires)
        table.append((token.token, note.name, marks, f"{token.used} of {uses}", end))
    click.echo(format_table(("TOKEN", "FOR", "", "USED", "UNTIL"), table))


@invite.command(
    "revoke", cls=Verb, examples=["appliance invite revoke bob", "appliance invite revoke TOKEN"]
)
@click.argument("which", metavar="TOKEN|LINK|NAME")
def revoke_invitation(which: str) -> None:
    """Take an invitation back; accounts made with it stay."""
    from appliance.invitations import Notes

    admin_api = running.connect_admin(running.load_settings())
    notes = Notes()
    given = which.partition("#")[0].rpartition("/")[2]
    tokens = [token.token for token in admin_api.tokens()]
    meant = [token for token in tokens if token == given or notes.find(token).name == which]
    if not meant:
        raise OperationError(f"there is no such invitation: {which}")
    for token in meant:
        admin_api.revoke_token(token)
    notes.keep_only(token for token in tokens if token not in meant)
    click.echo("revoked")


def _check_that_people_may_join(settings: "Settings", *, admin: bool) -> None:
    """Raise OperationError where no invitation, or none of an administrator, would be honoured."""
    if settings.registration == "closed":
        raise OperationError(
            "MATRIX_REGISTRATION is closed: nobody can join by a link. Set it to token, or make "
            "the account yourself: appliance user add NAME"
        )
    if admin and settings.registration == "open":
        raise OperationError(
            "MATRIX_REGISTRATION is open: Synapse then asks nobody for an invitation. Make the "
            "administrator yourself: appliance user add NAME --admin"
        )


def _propose(name: str, admin_api: "SynapseAdmin") -> str:
    """Return a name as it can be proposed. Raise OperationError if nobody could take it."""
    user_id = admin_api.user_id(name)
    localpart = user_id[1:].partition(":")[0]
    if not _NAME.fullmatch(localpart):
        raise OperationError(
            f"{localpart!r} cannot be a name: the letters a to z, digits and . _ - = / + only"
        )
    if admin_api.has_user(user_id):
        raise OperationError(f"{user_id} exists already")
    return localpart


def _describe(token: "RegistrationToken", note: "Note") -> dict[str, object]:
    return {**asdict(token), "name": note.name, "admin": note.admin}


def _explain(settings: "Settings", made: "RegistrationToken", *, admin: bool) -> list[str]:
    people = {None: "any number of people", 1: "one person"}.get(
        made.uses_allowed, f"{made.uses_allowed} people"
    )
    end = "for ever" if made.expires is None else f"until {_describe_end(made.expires)}"
    lines = [f"For {people}, {end}."]
    if admin:
        lines.append("Who joins by it becomes a server administrator: send it safely.")
    if settings.registration == "open":
        lines.append("Nobody needs it now: MATRIX_REGISTRATION is open.")
    if settings.tls_mode == "self-signed":
        page = f"http://{settings.matrix_host}/"
        lines.append(f"Each device has to be told once to trust this server: {page} says how.")
    return lines


def _describe_end(expires: int | None) -> str:
    if expires is None:
        return "for ever"
    text = datetime.fromtimestamp(expires, UTC).strftime("%Y-%m-%d %H:%M UTC")
    return f"{text} (over)" if expires < time.time() else text


COMMANDS = (invite,)
