"""Names of servers: what they are made of, and whether they can be one at all. Pure.

Source: Matrix specification, appendices, "Server name".
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

Address = IPv4Address | IPv6Address

_NAME = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9.-]{1,253})(?::(?P<port>\d{1,5}))?")


@dataclass(frozen=True)
class ServerName:
    """A host, as a name or an address, and the port if one was given."""

    host: str
    port: int | None
    address: Address | None

    def __str__(self) -> str:
        host = f"[{self.host}]" if self.address and self.address.version == 6 else self.host
        return host if self.port is None else f"{host}:{self.port}"


def parse_server_name(text: str) -> ServerName | None:
    """Return the name, None if it is none."""
    match = _NAME.fullmatch(text)
    if not match:
        return None
    host, port = match["host"], int(match["port"]) if match["port"] else None
    if port is not None and not 1 <= port <= 65535:
        return None
    address = _parse_address(host)
    if address is None and (host.startswith("[") or ".." in f".{host}"):
        return None
    return ServerName(str(address) if address else host.lower(), port, address)


def server_of(user_id: str) -> str | None:
    """Return the server that a user ID names, None if it is no user ID."""
    localpart, separator, server = user_id.partition(":")
    if len(user_id.encode()) > 255 or not (separator and server and localpart.startswith("@")):
        return None
    return server


def _parse_address(host: str) -> Address | None:
    try:
        return ip_address(host.strip("[]"))
    except ValueError:
        return None
