"""SRV records, asked of this machine's own name servers.

Twisted's codec (of Synapse's own dependencies) knows the format; it is loaded when first needed,
since few servers are found this way.
"""

import asyncio
import contextlib
import secrets
from dataclasses import dataclass
from pathlib import Path

_RESOLVER_CONFIGURATION = Path("/etc/resolv.conf")
_ANSWER_SECONDS = 2
_SRV = 33
_PORT = 53


@dataclass(frozen=True)
class Service:
    """Where a service is."""

    host: str
    port: int


async def find_service(name: str) -> Service | None:
    """Return the preferred target of an SRV record, None where there is none. Source: RFC 2782."""
    for server in read_name_servers():
        with contextlib.suppress(OSError):  # TimeoutError too: the next one may know
            return _choose(await _ask(server, name))
    return None


def read_name_servers(file: Path = _RESOLVER_CONFIGURATION) -> list[str]:
    """Return this machine's name servers. Source: resolv.conf(5)."""
    try:
        lines = file.read_text().splitlines()
    except OSError:
        return []
    words = (line.split() for line in lines)
    return [line[1] for line in words if len(line) > 1 and line[0] == "nameserver"][:3]


async def _ask(server: str, name: str) -> bytes:
    from twisted.names import dns

    number = secrets.randbelow(1 << 16)
    message = dns.Message(id=number, recDes=1)
    message.addQuery(name.encode("ascii"), _SRV)
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[bytes] = loop.create_future()
    transport, _ = await loop.create_datagram_endpoint(
        lambda: _Receiver(answer, number), remote_addr=(server, _PORT)
    )
    try:
        transport.sendto(message.toStr())
        async with asyncio.timeout(_ANSWER_SECONDS):
            return await answer
    finally:
        transport.close()


class _Receiver(asyncio.DatagramProtocol):
    """Waits for the one datagram that is the answer."""

    def __init__(self, answer: asyncio.Future[bytes], number: int) -> None:
        self._answer = answer
        self._number = number.to_bytes(2)

    def datagram_received(self, data: bytes, addr: object) -> None:
        """Take it if it answers our question; the socket is connected, so the sender is right."""
        del addr
        if data[:2] == self._number and not self._answer.done():
            self._answer.set_result(data)

    def error_received(self, exc: Exception) -> None:
        """Give up: nobody listens there."""
        if not self._answer.done():
            self._answer.set_exception(exc)


def _choose(answer: bytes) -> Service | None:
    from twisted.names import dns

    message = dns.Message()
    try:
        message.fromStr(answer)
    except (EOFError, ValueError, IndexError, KeyError):
        return None
    found = [record.payload for record in message.answers if record.type == _SRV]
    for payload in sorted(found, key=lambda one: (one.priority, -one.weight)):
        host = payload.target.name.decode("ascii", "replace").rstrip(".")
        # A lone dot says that there is decidedly none.
        return Service(host, payload.port) if host else None
    return None
