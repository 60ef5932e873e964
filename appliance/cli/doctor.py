"""`appliance doctor`: asks the running server what its users would, and says what to do."""

import json
import sys
from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from appliance.cli.verb import Verb
from appliance.errors import EXIT_FAILED

if TYPE_CHECKING:
    from appliance.doctor.contract import Check, Finding

_COLOURS = {"good": "green", "wrong": "red", "uncertain": "yellow"}


@click.command(
    cls=Verb,
    examples=["appliance doctor", "appliance doctor calls", "appliance doctor calls --json"],
)
@click.argument("subject", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def doctor(subject: str | None, as_json: bool) -> None:
    """Ask the running server what its users would ask.

    SUBJECT is what to look at, such as calls; everything without one. Exits with 0 if nothing is
    wrong, 1 otherwise.
    """
    from appliance import doctor as checks
    from appliance.cli.report import draw_running

    subjects = sorted({check.subject for check in checks.every()})
    if subject not in (None, *subjects):
        raise click.BadParameter(f"{subject!r} is not one of: {', '.join(subjects)}")
    deployment = draw_running().deployment
    found = [
        (check, [*check.run(deployment)])
        for check in checks.of(subject)
        if check.applies(deployment)
    ]
    click.echo(_to_json(found) if as_json else _format(found))
    if any(finding.verdict == "wrong" for _, findings in found for finding in findings):
        sys.exit(EXIT_FAILED)


def _format(found: "Iterable[tuple[Check, list[Finding]]]") -> str:
    lines = []
    for check, findings in found:
        lines.append(click.style(check.question, bold=True))
        for finding in findings:
            verdict = click.style(f"{finding.verdict:<9}", fg=_COLOURS[finding.verdict])
            lines.append(f"  {verdict} {finding.what}")
            lines += [f"{'':12}{finding.advice}"] if finding.advice else []
    return "\n".join(lines) or "There is nothing to ask about in this deployment."


def _to_json(found: "Iterable[tuple[Check, list[Finding]]]") -> str:
    rows = [
        {"check": check.name, "subject": check.subject, **asdict(finding)}
        for check, findings in found
        for finding in findings
    ]
    return json.dumps(rows, indent=2)


COMMANDS = (doctor,)
