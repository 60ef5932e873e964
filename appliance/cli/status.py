"""`appliance status`: how every part is, made by walking the parts. Changes nothing."""

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from appliance.cli.table import format_bytes, format_duration, format_table
from appliance.cli.verb import Verb
from appliance.errors import EXIT_FAILED

if TYPE_CHECKING:
    from appliance.cli.report import PartStatus, Report
    from appliance.machine import Component


@click.command(cls=Verb, examples=["appliance status", "appliance status --json"])
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def status(as_json: bool) -> None:
    """Show how every part of the running server is.

    Exits with 0 if the essential parts (marked *) are healthy, 1 otherwise. Memory is what the
    kernel counts as resident, the shared pages of a program's own children once.
    """
    from appliance.cli.report import collect

    report = collect()
    click.echo(json.dumps(_to_dict(report), indent=2) if as_json else _format(report))
    if not report.healthy:
        sys.exit(EXIT_FAILED)


def _to_dict(report: "Report") -> dict[str, object]:
    return {"healthy": report.healthy, **asdict(report)}


def _format(report: "Report") -> str:
    """Return a report as text for a terminal."""
    rows = [
        (
            f"{part.name}{'*' if part.essential else ''}",
            click.style(_name_state(part), fg="green" if part.healthy else "red"),
            "" if part.uptime_seconds is None else format_duration(part.uptime_seconds),
            "" if part.memory_bytes is None else format_bytes(part.memory_bytes),
            part.detail,
        )
        for part in report.parts
    ]
    facts = [
        ("server name", report.server_name),
        ("web client", report.web_client),
        ("client API", report.client_api),
        ("image", f"matrix-appliance {report.version}"),
    ]
    lines = [format_table(("PART", "STATE", "UP", "MEMORY", "ANSWER"), rows), ""]
    lines += [f"{name:<12} {value}" for name, value in facts]
    lines += [click.style(_describe(component), fg="yellow") for component in report.components]
    lines += [click.style(f"warning      {warning}", fg="yellow") for warning in report.warnings]
    lines += [click.style(f"left out     {one}", fg="yellow") for one in report.left_out]
    lines += [click.style(f"problem      {problem}", fg="red") for problem in report.problems]
    return "\n".join(lines)


def _name_state(part: "PartStatus") -> str:
    """Return what supervisor says, or that the part itself says otherwise."""
    running = part.state in ("running", "ready")
    return "unwell" if running and not part.healthy else part.state


def _describe(component: "Component") -> str:
    version = f" {component.version}" if component.version else ""
    reason = f": {component.reason}" if component.reason else ""
    return f"{component.status:<12} {component.name}{version}{reason}"


COMMANDS = (status,)
