"""Cloudflare's API v4, as far as zones, DNS records, tokens and its own addresses go.

Source: https://developers.cloudflare.com/api/resources/dns/subresources/records/, and what the API
itself was seen to answer.
"""

import ipaddress
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from world.http_server import Reply, Request
from world.zones import Record, Registry, Token, Zone

HOST = "api.cloudflare.com"
_PREFIX = "/client/v4"
_TIME = "2026-01-01T00:00:00.000000Z"
_RANGES = {"ipv4_cidrs": ["104.16.0.0/13"], "ipv6_cidrs": ["2606:4700::/32"], "etag": "0"}
_RECORD = re.compile(r"/zones/([0-9a-f]{32})/dns_records(?:/([0-9a-f]{32}))?")
_FILTERS: Mapping[str, Callable[[str, str], bool]] = {
    "": lambda value, wanted: value == wanted,
    "exact": lambda value, wanted: value == wanted,
    "contains": lambda value, wanted: wanted in value,
    "startswith": lambda value, wanted: value.startswith(wanted),
    "endswith": lambda value, wanted: value.endswith(wanted),
}


class RefusalError(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, code: int, message: str, chain: object = None) -> None:
        self.status = status
        self.error = {"code": code, "message": message}
        if chain:
            self.error["error_chain"] = chain


def refusal_body(code: int, message: str) -> str:
    """Return the body of an answer that is no success."""
    return json.dumps(_envelope([{"code": code, "message": message}]))


def _envelope(errors: list[Any], result: Any = None, **more: Any) -> dict[str, Any]:
    return {"result": result, "success": not errors, "errors": errors, "messages": [], **more}


class Cloudflare:
    """The API."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def __call__(self, request: Request) -> Reply:
        """Answer a request."""
        try:
            with self._registry.lock:
                return self._route(request)
        except RefusalError as refusal:
            return Reply.of_json(_envelope([refusal.error]), refusal.status)

    def _route(self, request: Request) -> Reply:
        path = request.path.removeprefix(_PREFIX)
        if path == "/ips":
            return _success(_RANGES)
        token = self._authenticate(request, path)
        if path == "/user/tokens/verify":
            return _success({"id": "f" * 32, "status": token.status})
        if path == "/zones":
            return self._list_zones(token, request.query)
        if match := re.fullmatch(r"/zones/([0-9a-f]{32})", path):
            return _success(_describe_zone(self._zone(token, match[1], "zone:read"), token))
        if match := _RECORD.fullmatch(path):
            right = "dns_records:read" if request.method == "GET" else "dns_records:edit"
            zone = self._zone(token, match[1], right)
            return _act(zone, request, match[2])
        raise RefusalError(
            400, 7003, f"Could not route to {request.target}, perhaps it is invalid?"
        )

    def _authenticate(self, request: Request, path: str) -> Token:
        given = request.headers.get("authorization", "")
        if not re.fullmatch(r"Bearer [A-Za-z0-9_-]{40,}", given):
            chain = [{"code": 6111, "message": "Invalid format for Authorization header"}]
            raise RefusalError(400, 6003, "Invalid request headers", chain)
        token = self._registry.tokens.get(given.removeprefix("Bearer "))
        verifies = path == "/user/tokens/verify"
        if token is None or (token.status != "active" and not verifies):
            if verifies:
                raise RefusalError(401, 1000, "Invalid API Token")
            raise RefusalError(403, 9109, "Invalid access token")
        return token

    def _visible(self, token: Token, right: str) -> list[Zone]:
        if right not in token.rights:
            return []
        zones = self._registry.zones.values()
        return [zone for zone in zones if token.zones is None or zone.name in token.zones]

    def _zone(self, token: Token, number: str, right: str) -> Zone:
        for zone in self._visible(token, right):
            if zone.id == number:
                return zone
        raise RefusalError(403, 10000, "Authentication error")

    def _list_zones(self, token: Token, query: Mapping[str, str]) -> Reply:
        zones = [_describe_zone(zone, token) for zone in self._visible(token, "zone:read")]
        return _page(_filter(zones, query, ("name", "status")), query)


def _act(zone: Zone, request: Request, number: str | None) -> Reply:
    if number is None:
        if request.method == "GET":
            records = [_describe(zone, record) for record in zone.records.values()]
            fields = ("name", "type", "content", "comment")
            return _page(_filter(records, request.query, fields), request.query)
        if request.method == "POST":
            made = _change(zone, Record("", "", ""), json.loads(request.body))
            return _success(_describe(zone, zone.put(made)))
        raise RefusalError(405, 10405, "Method not allowed for this authentication scheme")
    if number not in zone.records:
        raise RefusalError(404, 81044, "Record does not exist.")
    before = zone.records[number]
    match request.method:
        case "GET":
            return _success(_describe(zone, before))
        case "DELETE":
            del zone.records[number]
            return _success({"id": number})
        case "PATCH":
            changed = _change(zone, before, json.loads(request.body))
        case "PUT":
            empty = replace(before, name="", type="", content="", comment=None, ttl=1)
            changed = _change(zone, replace(empty, proxied=False), json.loads(request.body))
        case _:
            raise RefusalError(405, 10405, "Method not allowed for this authentication scheme")
    return _success(_describe(zone, zone.put(changed)))


def _change(zone: Zone, record: Record, given: Mapping[str, Any]) -> Record:
    """Return the record with what is given. Raise RefusalError as the API does."""
    known = ("name", "type", "content", "ttl", "proxied", "comment", "data")
    if given.get("tags"):
        raise RefusalError(400, 9300, "DNS record has 1 tags, exceeding the quota of 0.")
    record = replace(record, **{name: given[name] for name in known if name in given})
    name = record.name.lower().rstrip(".")
    if name == "@":
        name = zone.name
    elif name != zone.name and not name.endswith(f".{zone.name}"):
        name = f"{name}.{zone.name}"
    if record.type == "CAA" and record.data:
        content = '{flags} {tag} "{value}"'.format(**record.data)
        record = replace(record, content=content)
    record = replace(record, name=name)
    _require_valid(record)
    _require_room(zone, record)
    return record


def _require_valid(record: Record) -> None:
    versions = {"A": (4, 9005), "AAAA": (6, 9006)}
    if record.type in versions:
        version, code = versions[record.type]
        try:
            good = ipaddress.ip_address(record.content).version == version
        except ValueError:
            good = False
        if not good:
            raise RefusalError(
                400, code, f"Content for {record.type} record must be a valid IPv{version} address."
            )
    elif record.type not in ("CNAME", "TXT", "CAA", "NS", "MX", "SRV"):
        raise RefusalError(400, 9004, f"DNS record type {record.type!r} is invalid.")
    if record.comment and len(record.comment) > 100:
        raise RefusalError(400, 9301, "DNS record comment exceeds the limit of 100 characters.")


def _require_room(zone: Zone, record: Record) -> None:
    addresses = {"A", "AAAA", "CNAME"}
    for other in zone.records.values():
        if other.name != record.name or other.id == record.id:
            continue
        if (other.type, other.content.strip('"')) == (record.type, record.content.strip('"')):
            raise RefusalError(400, 81058, "An identical record already exists.")
        if "CNAME" in (other.type, record.type) and {other.type, record.type} <= addresses:
            raise RefusalError(
                400, 81053, "An A, AAAA, or CNAME record with that host already exists."
            )


def _describe(zone: Zone, record: Record) -> dict[str, Any]:
    described = {
        "id": record.id,
        "name": record.name,
        "type": record.type,
        "content": record.content,
        "proxiable": record.type in ("A", "AAAA", "CNAME"),
        "proxied": record.proxied,
        "ttl": record.ttl,
        "settings": {},
        "meta": {},
        "comment": record.comment,
        "tags": list(record.tags),
        "created_on": _TIME,
        "modified_on": _TIME,
    }
    if record.data:
        described["data"] = record.data
    return {**described, "zone_id": zone.id, "zone_name": zone.name}


def _describe_zone(zone: Zone, token: Token) -> dict[str, Any]:
    return {
        "id": zone.id,
        "name": zone.name,
        "status": zone.status,
        "paused": False,
        "type": "full",
        "name_servers": [f"ns.{zone.name}"],
        "permissions": [f"#{right}" for right in token.rights],
        "account": {"id": "a" * 32, "name": "the owner's account"},
        "plan": {"id": "0" * 32, "name": "Free Website", "legacy_id": "free"},
        "created_on": _TIME,
        "modified_on": _TIME,
    }


def _filter(
    rows: Iterable[dict[str, Any]], query: Mapping[str, str], fields: Iterable[str]
) -> list[dict[str, Any]]:
    """Return the rows that match every filter of the query on these fields."""
    left = list(rows)
    for parameter, wanted in query.items():
        name, _, how = parameter.partition(".")
        if name in fields and how in _FILTERS:
            matches = _FILTERS[how]
            left = [row for row in left if matches(_plain(row[name]), _plain(wanted))]
    return left


def _plain(value: object) -> str:
    return str(value or "").strip('"').lower()


def _page(rows: list[Any], query: Mapping[str, str]) -> Reply:
    """Return one page: clients ask for the next until an empty one comes."""
    page, size = int(query.get("page", 1)), int(query.get("per_page", 20))
    part = rows[(page - 1) * size : page * size]
    info = {
        "page": page,
        "per_page": size,
        "count": len(part),
        "total_count": len(rows),
        "total_pages": -(-len(rows) // size),
    }
    return Reply.of_json(_envelope([], part, result_info=info))


def _success(result: Any) -> Reply:
    return Reply.of_json(_envelope([], result))
