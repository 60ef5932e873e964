"""Connections to servers outside, by HTTPS: never to an address that Synapse would not go to.

Every address is judged where it is connected to, so neither a name that resolves to the inside nor
one that resolves differently the second time gets there.
"""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from ipaddress import ip_address
from urllib.parse import urlsplit

from appliance.rtc.configuration import Network
from appliance.rtc.errors import UnreachableError
from appliance.rtc.http_client import Answer, Connection, Question, ask
from appliance.rtc.names import Address

_CONNECT_SECONDS = 4
_MAXIMUM_REDIRECTS = 3
# ASCII without spaces and control characters.
_PRINTABLE = re.compile(r"[!-~]+")
_REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(frozen=True)
class Endpoint:
    """Where to connect, whom the certificate there must name, and what to ask for."""

    host: str
    port: int
    certificate_name: str
    host_header: str


class Outside:
    """The internet, as far as it may be reached."""

    def __init__(self, denied: Sequence[Network]) -> None:
        self._denied = tuple(denied)

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return ssl.create_default_context()

    def allows(self, address: Address) -> bool:
        """Return whether an address may be connected to."""
        mapped = getattr(address, "ipv4_mapped", None) or address
        return not any(
            mapped.version == network.version and mapped in network for network in self._denied
        )

    async def get(self, endpoint: Endpoint, target: str) -> Answer:
        """Ask an endpoint. Raise UnreachableError."""
        connection = await self._connect(endpoint)
        return await ask(connection, Question("GET", target, endpoint.host_header))

    async def get_page(self, url: str) -> Answer:
        """Ask an https address, following a few redirects. Raise UnreachableError."""
        for _ in range(_MAXIMUM_REDIRECTS + 1):
            endpoint, target = _parse_url(url)
            answer = await self.get(endpoint, target)
            if answer.status not in _REDIRECTS:
                return answer
            url = answer.headers.get("location", "")
        raise UnreachableError("redirects again and again")

    async def _connect(self, endpoint: Endpoint) -> Connection:
        failure: Exception = UnreachableError(f"{endpoint.host} has no address")
        async for address in self._resolve(endpoint.host, endpoint.port):
            if not self.allows(address):
                failure = UnreachableError(f"{endpoint.host} is at an address that is denied")
                continue
            try:
                async with asyncio.timeout(_CONNECT_SECONDS):
                    return await asyncio.open_connection(
                        str(address),
                        endpoint.port,
                        ssl=self._tls,
                        server_hostname=endpoint.certificate_name,
                    )
            except (OSError, ValueError) as error:  # a refusal, a bad certificate, no time
                failure = error
        raise UnreachableError(str(failure) or type(failure).__name__) from failure

    async def _resolve(self, host: str, port: int) -> AsyncIterator[Address]:
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=1)
        except (OSError, UnicodeError) as error:
            raise UnreachableError(f"{host} is not known") from error
        for _, _, _, _, place in found:
            yield ip_address(str(place[0]).partition("%")[0])


def _parse_url(url: str) -> tuple[Endpoint, str]:
    """Return where an https address is, and what to ask there. Raise UnreachableError."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or 443
    except ValueError:
        host, port = None, 0
    if not host or parts.scheme != "https" or not _PRINTABLE.fullmatch(url):
        raise UnreachableError("redirects to no https address")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Endpoint(host, port, host, parts.netloc.rpartition("@")[2]), target
