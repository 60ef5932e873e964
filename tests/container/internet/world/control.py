"""What the tests may do to the world: each public method of Control, by `POST /METHOD`."""

import json
import secrets
from dataclasses import asdict
from typing import Any

from world.authorities import Authorities, Policy
from world.dns import Resolver
from world.http_server import Reply, Request, World
from world.stun import Mirror
from world.zones import Record, Registry, Token, Zone


class Control:
    """Changes the world and tells what happened in it."""

    def __init__(
        self,
        world: World,
        registry: Registry,
        certificates: Authorities,
        *,
        resolver: Resolver,
        mirror: Mirror,
        address: str,
    ) -> None:
        self._world, self._registry, self._authorities = world, registry, certificates
        self._resolver, self._mirror, self._address = resolver, mirror, address

    def __call__(self, request: Request) -> Reply:
        """Call a method with the members of a JSON object, and return what it returned."""
        name = request.path.strip("/")
        if name.startswith("_") or not hasattr(self, name):
            return Reply(404, f"there is no {name}".encode())
        arguments = json.loads(request.body or b"{}")
        return Reply.of_json(getattr(self, name)(**arguments))

    def ping(self) -> bool:
        """Return true: everything answers."""
        return True

    def publish_host(self, name: str, address: str | None = None) -> None:
        """Let the world find a host that is not in a zone of the provider."""
        with self._registry.lock:
            zone = self._registry.zones[name] = Zone(name)
            zone.put(Record(name, "A", address or self._address))

    def open_authority(self, host: str, **policy: Any) -> None:
        """Have a certificate authority at a host."""
        self._world.hosts[host] = self._authorities.open(host, Policy(**policy))
        if host not in self._registry.zones:
            self.publish_host(host)

    def restart_authority(self, host: str) -> None:
        """Let an authority forget everything."""
        self._authorities.by_host[host].start()

    def root_of(self, host: str) -> str:
        """Return the root certificate of an authority."""
        return self._authorities.by_host[host].root()

    def add_zone(self, name: str, status: str = "active") -> None:
        """Have a zone at the provider, without records."""
        with self._registry.lock:
            self._registry.zones[name] = Zone(name, status)

    def delegate_zone(self, name: str, address: str) -> None:
        """Let a zone be answered for by a name server of its own."""
        self._resolver.delegations[name] = address

    def remove_zone(self, name: str) -> None:
        """Take a zone away."""
        with self._registry.lock:
            del self._registry.zones[name]

    def set_zone(self, name: str, **values: Any) -> None:
        """Change a zone's status or how long its records take to be seen."""
        with self._registry.lock:
            for field, value in values.items():
                setattr(self._registry.zones[name], field, value)

    def add_token(self, zones: list[str] | None, **values: Any) -> str:
        """Make a token for zones (None: for all) and return it."""
        token = Token(secrets.token_urlsafe(30), None if zones is None else tuple(zones), **values)
        with self._registry.lock:
            self._registry.tokens[token.value] = token
        return token.value

    def set_token(self, value: str, **values: Any) -> None:
        """Change what a token may do."""
        with self._registry.lock:
            for field, new in values.items():
                setattr(self._registry.tokens[value], field, new)

    def add_record(self, zone: str, **values: Any) -> dict[str, Any]:
        """Make a record as the owner does on the provider's pages."""
        with self._registry.lock:
            return asdict(self._registry.zones[zone].put(Record(**values)))

    def remove_record(self, zone: str, number: str) -> None:
        """Remove a record as the owner does."""
        with self._registry.lock:
            del self._registry.zones[zone].records[number]

    def records(self, zone: str) -> list[dict[str, Any]]:
        """Return every record of a zone."""
        with self._registry.lock:
            return [asdict(record) for record in self._registry.zones[zone].records.values()]

    def look_up(self, name: str, kind: str) -> list[str]:
        """Return what the world is answered for a name."""
        with self._registry.lock:
            return [record.content for record in self._registry.answers(name, kind)]

    def add_fault(self, **values: Any) -> int:
        """Have something go wrong and return its number."""
        return self._world.faults.add(**values)

    def remove_fault(self, number: int) -> None:
        """Have it go well again."""
        self._world.faults.remove(number)

    def tell_address(self, client: str, address: str | None) -> None:
        """Tell a client that it comes from somewhere else (None: the truth again)."""
        self._mirror.told.pop(client, None)
        if address is not None:
            self._mirror.told[client] = address

    def calls(self, host: str, match: str = "") -> list[dict[str, Any]]:
        """Return what a host was asked."""
        return self._world.calls.find(host, match)
