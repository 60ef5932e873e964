"""`appliance dns`: what there is in the DNS for this server, what is wanted, and making it so."""

import sys
from typing import TYPE_CHECKING

import click

from appliance.cli.running import choose_environment
from appliance.cli.table import format_table
from appliance.cli.verb import Verb
from appliance.errors import EXIT_FAILED, OperationError

if TYPE_CHECKING:
    from appliance.dns import Row
    from appliance.public_address import PublicAddresses
    from appliance.settings import Settings

_COLOURS = {"create": "green", "change": "green", "leave out": "red"}


@click.group()
def dns() -> None:
    """See and make the records of this server in the DNS."""


@dns.command(
    cls=Verb,
    examples=[
        "appliance dns plan",
        "docker exec -e MATRIX_CLOUDFLARE_DNS=manage CONTAINER appliance dns plan",
    ],
)
def plan() -> None:
    """Show the records there are, those that are wanted, and what would be done. Changes nothing.

    The variables are chosen as in `appliance check`. Without a token for Cloudflare it shows the
    records to make by hand, wherever your DNS is.
    """
    settings = _load_settings()
    addresses = _find_addresses(settings)
    if settings.cloudflare_dns == "off":
        click.echo(_by_hand(settings, addresses))
        return
    from appliance.dns import Source, records

    source = Source.of(settings)
    with records.connect(source) as cloudflare:
        zone, rows = records.plan(cloudflare, source, addresses)
    click.echo(f"zone {zone.name} at Cloudflare, MATRIX_CLOUDFLARE_DNS={settings.cloudflare_dns}\n")
    click.echo(format_rows(rows))


@dns.command(cls=Verb, examples=["appliance dns apply"])
def apply() -> None:
    """Do what `appliance dns plan` shows, now. The server does it by itself, too.

    Exits with 0 if every record is as it should be, 1 otherwise.
    """
    settings = _load_settings()
    if settings.cloudflare_dns == "off":
        raise OperationError(
            "MATRIX_CLOUDFLARE_DNS=off: nothing is written; set MATRIX_CLOUDFLARE_API_TOKEN, or "
            "make the records of `appliance dns plan` by hand"
        )
    addresses = _find_addresses(settings)
    from appliance.dns import Source, records

    source = Source.of(settings)
    with records.connect(source) as cloudflare:
        zone, before = records.plan(cloudflare, source, addresses)
        rows = records.apply(cloudflare, zone, before)
    click.echo(format_rows(rows))
    if not all(row.well for row in rows):
        sys.exit(EXIT_FAILED)


def format_rows(rows: "list[Row]") -> str:
    """Return a plan as a table."""
    cells = [
        (
            row.name,
            row.type,
            row.now or "-",
            row.wanted or "-",
            click.style(row.action, fg=_COLOURS.get(row.action)),
            row.why,
        )
        for row in rows
    ]
    return format_table(("NAME", "TYPE", "NOW", "WANTED", "ACTION", "WHY"), cells)


def _load_settings() -> "Settings":
    """Return the settings of this shell or the running server. Raise for a server of no domain."""
    from appliance import settings

    loaded = settings.load(choose_environment())
    if loaded.trial:
        raise OperationError("the trial has no domain: there is nothing about it in the DNS")
    return loaded


def _find_addresses(settings: "Settings") -> "PublicAddresses":
    """Return what is known of the public address, asking now where nothing is yet."""
    from appliance import public_address

    known = public_address.load(settings)
    if not known.known and settings.follows_public_ip:
        import asyncio

        from appliance.public_address.discovery import discover_all

        known = asyncio.run(discover_all(settings.stun_servers))
    if known.known:
        return known
    raise OperationError(
        "; ".join(known.warnings)
        or "MATRIX_PUBLIC_IP=none: this server has no public address to put into the DNS"
    )


def _by_hand(settings: "Settings", addresses: "PublicAddresses") -> str:
    """Return the records to make where the appliance cannot."""
    types = {4: "A", 6: "AAAA"}
    cells = [
        (name, types[address.version], str(address))
        for name in settings.dns_names
        for address in addresses.addresses
    ]
    return f"records to make by hand:\n\n{format_table(('NAME', 'TYPE', 'VALUE'), cells)}"


COMMANDS = (dns,)
