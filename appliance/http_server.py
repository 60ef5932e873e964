"""A small HTTP server for programs of this machine: one request on each connection.

h11 (of Synapse's own dependencies) knows HTTP; here are sockets, limits and clocks. Knows no path.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

import h11

_log = logging.getLogger("http")
_MAXIMUM_BODY_BYTES = 16 * 1024
_MAXIMUM_CONNECTIONS = 256
_READ_SECONDS = 15
_WORK_SECONDS = 25
_CHUNK_BYTES = 16 * 1024


@dataclass(frozen=True)
class Request:
    """A whole request."""

    method: str
    path: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    """Their names in lower case."""


@dataclass(frozen=True)
class Response:
    """A whole answer."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[Request], Awaitable[Response]]
_Accept = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class TooLargeError(Exception):
    """The body is larger than any that makes sense."""


async def serve(path: str, handler: Handler) -> asyncio.Server:
    """Listen on a Unix socket to which whoever may enter its directory may connect."""
    Path(path).unlink(missing_ok=True)
    server = await asyncio.start_unix_server(
        _accept_for(handler), path, backlog=_MAXIMUM_CONNECTIONS
    )
    Path(path).chmod(0o666)
    return server


async def serve_at(host: str, port: int, handler: Handler) -> asyncio.Server:
    """Listen on a port. Raise OSError if it is taken."""
    return await asyncio.start_server(
        _accept_for(handler), host, port, backlog=_MAXIMUM_CONNECTIONS
    )


def _accept_for(handler: Handler) -> _Accept:
    """Return what answers each connection, so many at a time."""
    slots = asyncio.Semaphore(_MAXIMUM_CONNECTIONS)

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if slots.locked():
            writer.transport.abort()
            return
        async with slots:
            with contextlib.suppress(OSError):
                await _converse(handler, reader, writer)
            writer.close()

    return accept


async def _converse(
    handler: Handler, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=_CHUNK_BYTES)
    try:
        async with asyncio.timeout(_READ_SECONDS):
            request = await _read_request(connection, reader)
        if request is None:
            return
        async with asyncio.timeout(_WORK_SECONDS):
            response = await handler(request)
    except TooLargeError:
        response = Response(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    except TimeoutError:
        response = Response(HTTPStatus.GATEWAY_TIMEOUT)
    except h11.RemoteProtocolError as error:
        response = Response(error.error_status_hint)
    except Exception:
        _log.exception("a request failed")
        response = Response(HTTPStatus.INTERNAL_SERVER_ERROR)
    if connection.our_state in (h11.IDLE, h11.SEND_RESPONSE):
        async with asyncio.timeout(_READ_SECONDS):
            await _send(connection, writer, response)


async def _read_request(connection: h11.Connection, reader: asyncio.StreamReader) -> Request | None:
    """Return the request, None where the other side went away."""
    head: h11.Request | None = None
    body = bytearray()
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(_CHUNK_BYTES))
        elif isinstance(event, h11.Request):
            head = event
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > _MAXIMUM_BODY_BYTES:
                raise TooLargeError
        elif isinstance(event, h11.EndOfMessage) and head is not None:
            path = head.target.decode("ascii", "replace").partition("?")[0]
            headers = {name.decode(): value.decode("latin-1") for name, value in head.headers}
            return Request(head.method.decode("ascii"), path, bytes(body), headers)
        else:
            return None


async def _send(
    connection: h11.Connection, writer: asyncio.StreamWriter, response: Response
) -> None:
    headers = {
        **response.headers,
        "Content-Length": str(len(response.body)),
        "Connection": "close",
    }
    events: tuple[h11.Event, ...] = (
        h11.Response(status_code=response.status, headers=[*headers.items()]),
        h11.Data(data=response.body),
        h11.EndOfMessage(),
    )
    for event in events:
        writer.write(connection.send(event) or b"")
    await writer.drain()
