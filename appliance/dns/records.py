"""Make the zone as the plan wants it, through Cloudflare's API."""

from collections.abc import Iterable
from dataclasses import replace

from appliance.cloudflare import Cloudflare, CloudflareError, Fault, Zone, build_trust
from appliance.dns.plan import Action, Row, draw
from appliance.dns.source import Source
from appliance.public_address import PublicAddresses

# Somebody made it in between: an A, AAAA or CNAME record of that name, or this very one.
_EXISTS = {81053, 81054, 81057, 81058}


def connect(source: Source) -> Cloudflare:
    """Return the API of a source. Raise OperationError for a token or roots that are none."""
    return Cloudflare(source.token, source.api, trust=build_trust(source.ca_bundle))


def plan(
    cloudflare: Cloudflare, source: Source, addresses: PublicAddresses
) -> tuple[Zone, list[Row]]:
    """Look at the zone and return what would be done. Raise CloudflareError."""
    zone = cloudflare.find_zone(source.domain)
    existing = {name: cloudflare.records(zone, name) for name in source.names}
    return zone, draw(source, addresses, existing)


def apply(cloudflare: Cloudflare, zone: Zone, rows: Iterable[Row]) -> list[Row]:
    """Do what a plan says and return the rows as they are now. Raise CloudflareError."""
    return [_do(cloudflare, zone, row) for row in rows]


def _do(cloudflare: Cloudflare, zone: Zone, row: Row) -> Row:
    if row.record is None:
        return row
    try:
        if row.action is Action.CREATE:
            cloudflare.create(zone, row.record)
        else:
            cloudflare.change_content(zone, row.record, row.wanted)
    except CloudflareError as error:
        if error.fault is Fault.REFUSED and error.code in _EXISTS:
            return replace(row, action=Action.KEEP, why="somebody else made it just now")
        raise
    return replace(row, now=row.wanted, action=Action.NOTHING, why=f"{row.action}d", record=None)
