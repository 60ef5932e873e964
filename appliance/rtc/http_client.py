"""A small HTTP client: one request on each connection, answers of bounded size.

Whom it may connect to is decided by whoever opens the connection. Follows no redirect.
"""

import asyncio
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import h11

from appliance.rtc.errors import UnreachableError

_MAXIMUM_ANSWER_BYTES = 64 * 1024
_CHUNK_BYTES = 16 * 1024

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True)
class Answer:
    """A whole answer, its headers in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def object(self) -> dict[str, Any]:
        """Return the JSON object that it is. Raise UnreachableError if it is none."""
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise UnreachableError("answers with something else than JSON") from error
        if not isinstance(value, dict):
            raise UnreachableError("answers with something else than an object")
        return value


@dataclass(frozen=True)
class Question:
    """A request: `target` is path and query, `host` what the server is called."""

    method: str
    target: str
    host: str
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


async def ask(connection: Connection, question: Question) -> Answer:
    """Send a request and return the answer, closing the connection. Raise UnreachableError."""
    reader, writer = connection
    protocol = h11.Connection(h11.CLIENT, max_incomplete_event_size=_CHUNK_BYTES)
    headers = {
        "Host": question.host,
        "User-Agent": "matrix-appliance",
        "Accept-Encoding": "identity",
        "Connection": "close",
        **question.headers,
        "Content-Length": str(len(question.body)),
    }
    try:
        request = h11.Request(
            method=question.method, target=question.target, headers=[*headers.items()]
        )
        for event in (request, h11.Data(data=question.body), h11.EndOfMessage()):
            writer.write(protocol.send(event) or b"")
        await writer.drain()
        return await _read_answer(protocol, reader)
    except (OSError, h11.ProtocolError) as error:
        raise UnreachableError(str(error) or type(error).__name__) from error
    finally:
        writer.close()


async def ask_local(
    method: str, url: str, body: object = None, headers: Mapping[str, str] | None = None
) -> Answer:
    """Ask a server of this machine, which configuration alone names. Raise UnreachableError."""
    address = urlsplit(url)
    target = f"{address.path}?{address.query}" if address.query else address.path
    content = b"" if body is None else json.dumps(body).encode()
    given = {"Content-Type": "application/json", **(headers or {})}
    try:
        async with asyncio.timeout(10):
            connection = await asyncio.open_connection(address.hostname, address.port)
            question = Question(method, target, address.netloc, content, given)
            return await ask(connection, question)
    except OSError as error:  # TimeoutError too
        raise UnreachableError(str(error) or type(error).__name__) from error


async def _read_answer(protocol: h11.Connection, reader: asyncio.StreamReader) -> Answer:
    head: h11.Response | None = None
    body = bytearray()
    while True:
        event = protocol.next_event()
        if event is h11.NEED_DATA:
            protocol.receive_data(await reader.read(_CHUNK_BYTES))
        elif isinstance(event, h11.Response):
            head = event
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > _MAXIMUM_ANSWER_BYTES:
                raise UnreachableError("answers with too much")
        elif isinstance(event, h11.EndOfMessage) and head is not None:
            found = {
                name.decode("latin-1"): value.decode("latin-1") for name, value in head.headers
            }
            return Answer(head.status_code, found, bytes(body))
        elif not isinstance(event, h11.InformationalResponse):
            raise UnreachableError("broke off")


def _decode(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in headers}
