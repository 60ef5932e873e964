"""`appliance check` and `appliance render`: the configuration, looked at without starting."""

import difflib
import sys
from pathlib import Path

import click

from appliance.cli.running import choose_environment
from appliance.cli.verb import Verb
from appliance.errors import EXIT_FAILED
from appliance.files import Entry, File


@click.command(
    cls=Verb,
    examples=[
        "docker run --rm --env-file appliance.env -v matrix:/data matrix-appliance check",
        "docker exec -e MATRIX_REGISTRATION=closed CONTAINER appliance check",
    ],
)
def check() -> None:
    """Validate the variables and your own files without starting.

    Reads the variables of this shell, or those that the running server was started with if this
    shell has none. Every problem is printed, sorted; the exit status is 2 if there is one.
    A warning is of what works, though perhaps not as you think.

    All variables are described in docs/environment.md.
    """
    from appliance.entrypoint import plan
    from appliance.external_postgres.preparation import judge_now

    planned = plan(choose_environment(), judge_outside=judge_now)
    for warning in planned.warnings():
        click.echo(f"warning: {warning}", err=True)
    click.echo("configuration is valid")


@click.command(
    cls=Verb,
    examples=[
        "appliance render | less",
        "docker exec -e MATRIX_URL_PREVIEWS=yes CONTAINER appliance render --diff",
    ],
)
@click.option("--diff", is_flag=True, help="Show only what would change on disk.")
def render(diff: bool) -> None:
    """Print the files that a start would write, secrets masked.

    The variables are chosen as in `appliance check`. With --diff the exit status is 0 if nothing
    would change and 1 if something would.
    """
    from appliance.entrypoint import plan

    entries = plan(choose_environment()).entries
    if not diff:
        click.echo("\n".join(describe(entry) for entry in entries))
        return
    changes = [change for entry in entries if (change := compare(entry))]
    if changes:
        click.echo("\n".join(changes))
        sys.exit(EXIT_FAILED)


def describe(entry: Entry) -> str:
    """Return an entry as `appliance render` shows it."""
    kind = "" if isinstance(entry, File) else "/"
    title = f"==> {entry.path}{kind} ({entry.owner}:{entry.group} {entry.mode:04o})"
    if not isinstance(entry, File):
        return title
    if entry.secret:
        return f"{title}\nsecret, {len(entry.content.encode())} bytes\n"
    return f"{title}\n{entry.content}"


def compare(entry: Entry) -> str:
    """Return how what is on disk differs from an entry, empty if it does not."""
    path = Path(entry.path)
    if not isinstance(entry, File):
        return "" if path.is_dir() else f"{path}/: would be made"
    before = path.read_text(errors="replace") if path.exists() else None
    if before == entry.content:
        return ""
    if entry.secret or not entry.content:
        kind = "secret" if entry.secret else "empty"
        return f"{path}: {kind}, {'would be made' if before is None else 'differs'}"
    lines = difflib.unified_diff(
        (before or "").splitlines(),
        entry.content.splitlines(),
        "/dev/null" if before is None else entry.path,
        entry.path,
        lineterm="",
    )
    return "\n".join(lines)


COMMANDS = (check, render)
