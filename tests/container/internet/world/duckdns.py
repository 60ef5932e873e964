"""DuckDNS, as far as proofs go: one TXT value for a domain and all below it.

Source: https://www.duckdns.org/spec.jsp, "TXT Record API". A token is good for the zones of its
owner.
"""

from world.http_server import Reply, Request
from world.zones import Record, Registry

HOST = "www.duckdns.org"


class DuckDns:
    """The API: everything by GET, and two letters for an answer."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def __call__(self, request: Request) -> Reply:
        """Put or clear the value of one domain."""
        query = request.query
        domain = query.get("domains", "").removesuffix(".duckdns.org")
        with self._registry.lock:
            zone = self._registry.zones.get(f"{domain}.duckdns.org")
            token = self._registry.tokens.get(query.get("token", ""))
            owned = token is not None and zone is not None and zone.name in (token.zones or ())
            if request.path != "/update" or not owned or zone is None:
                return Reply(200, b"KO", {"Content-Type": "text/plain"})
            old = [one.id for one in zone.records.values() if one.type == "TXT"]
            for number in old:
                del zone.records[number]
            if query.get("clear") != "true":
                for name in (zone.name, f"*.{zone.name}"):
                    zone.put(Record(name, "TXT", query.get("txt", "")))
        return Reply(200, b"OK", {"Content-Type": "text/plain"})
