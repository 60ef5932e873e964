"""`appliance certificate`: how it stands, a new one now, and whether one would come."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from appliance.certificates import Publication, Source
from appliance.certificates.lock import hold
from appliance.certificates.state import format_day, format_time
from appliance.certificates.stopped import StoppedError
from appliance.cli.running import load_settings
from appliance.cli.verb import Verb
from appliance.errors import EXIT_FAILED, OperationError
from appliance.paths import TLS_SOURCE

if TYPE_CHECKING:
    from appliance.certificates.served import Served
    from appliance.certificates.state import State


@click.group()
def certificate() -> None:
    """Look after the certificate."""


@certificate.command(
    cls=Verb, examples=["appliance certificate show", "appliance certificate show --json"]
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(as_json: bool) -> None:
    """Show the certificate and what each service really serves.

    Exits with 1 if there is a problem, or a service serves another one.
    """
    from appliance.certificates.served import find_served

    source, publication = _source(), Publication()
    state = publication.read_state()
    if state is None:
        raise OperationError("no certificate is published: see `appliance logs certificates`")
    served = find_served(source, publication)
    problems = [*state.describe(time.time()), *(one.complaint for one in served if one.complaint)]
    if as_json:
        click.echo(json.dumps(_to_dict(source, state, served, problems), indent=2))
    else:
        click.echo(_format(source, state, served, problems))
    if problems:
        sys.exit(EXIT_FAILED)


@certificate.command(cls=Verb, examples=["appliance certificate renew"])
def renew() -> None:
    """Ask the authority for a new certificate now, although the present one is not due.

    Authorities count: Let's Encrypt issues the same names five times a week.
    """
    from appliance.certificates.acme import schedule, upkeep
    from appliance.certificates.handover import hand_over

    source, publication = _ordered_source(), Publication()
    order = source.require_order()
    with hold(publication, wait=True):
        not_before = schedule.load(order).not_before
        if not_before > time.time():
            raise OperationError(
                f"{order.server} wants to be left alone until {format_time(not_before)}"
            )
        state = publication.read_state()
        if state is None:
            raise OperationError("nothing is published yet: see `appliance logs certificates`")
        click.echo(f"asking {order.server} for {', '.join(order.names)} …", err=True)
        with _explaining_a_stop():
            state = upkeep.renew(source, publication, state, again=True)
        if state.problem:
            raise OperationError(state.problem)
        hand_over(source, publication)
        publication.write_state(replace(state, served=True))
    click.echo(f"a new certificate is served, good until {format_day(state.facts.not_after)}")


@certificate.command(cls=Verb, examples=["appliance certificate test"])
def test() -> None:
    """Try out whether a certificate would come; touches nothing that is served.

    At Let's Encrypt its staging is asked, which has generous limits.
    """
    from appliance.certificates.acme.attempt import rehearse

    source = _ordered_source()
    with hold(Publication(), wait=True), _explaining_a_stop():
        outcome = rehearse(source.require_order())
    for remark in outcome.remarks:
        click.echo(remark, err=True)
    if outcome.failure:
        raise OperationError(outcome.failure.message)
    click.echo("a certificate would come: every step went well; nothing of it is served")


def _source() -> Source:
    """Return where the running server has its certificate from."""
    mode = load_settings().tls_mode  # first: whether a server runs at all
    path = Path(TLS_SOURCE)
    if not path.exists():
        raise OperationError(f"this server has no certificate of its own: MATRIX_TLS_MODE={mode}")
    return Source.from_json(path.read_text())


@contextmanager
def _explaining_a_stop() -> Iterator[None]:
    try:
        yield
    except StoppedError:
        raise OperationError("stopped; what was begun is tidied up") from None


def _ordered_source() -> Source:
    source = _source()
    if source.order is None:
        raise OperationError(
            f"no authority is asked where MATRIX_TLS_MODE={source.mode}; that is for acme"
        )
    return source


def _format(source: Source, state: "State", served: "list[Served]", problems: list[str]) -> str:
    facts = state.facts
    rows = [
        ("names", ", ".join(facts.names)),
        ("issuer", facts.issuer + (" (nobody trusts it)" if state.placeholder else "")),
        ("serial", facts.serial),
        ("good", f"{format_day(facts.not_before)} to {format_day(facts.not_after)}"),
        *(("served", f"{one.program} {one.address}: {one.summary}") for one in served),
    ]
    if source.order:
        rows.append(("authority", source.order.server))
    if state.next_at:
        rows.append(("next step", f"the authority is asked at {format_time(state.next_at)}"))
    lines = [f"{name:<10} {value}" for name, value in rows]
    return "\n".join([*lines, *(click.style(f"problem    {one}", fg="red") for one in problems)])


def _to_dict(
    source: Source, state: "State", served: "list[Served]", problems: list[str]
) -> dict[str, object]:
    return {
        "mode": source.mode,
        "authority": source.order.server if source.order else None,
        "placeholder": state.placeholder,
        **asdict(state.facts),
        "next_at": state.next_at,
        "served": [asdict(one) for one in served],
        "problems": problems,
    }


COMMANDS = (certificate,)
