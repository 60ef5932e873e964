"""Users of other servers: their server is found by its name and asked whose token it is.

Source: Matrix specification, server-server API, "Resolving server names" and "OpenID".
"""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlencode

from appliance.rtc.errors import UnreachableError
from appliance.rtc.homeserver import USER_INFO
from appliance.rtc.http_client import Answer
from appliance.rtc.names import ServerName, parse_server_name
from appliance.rtc.outside import Endpoint, Outside
from appliance.rtc.srv import Service, find_service

_log = logging.getLogger("rtc")
_PORT = 8448
_TOTAL_SECONDS = 10
_MAXIMUM_QUESTIONS = 64
_MAXIMUM_REMEMBERED = 500
_REMEMBER_SECONDS = 600
_REMEMBER_FAILURE_SECONDS = 60


@dataclass(frozen=True)
class Finding:
    """What is known of a server: its endpoint, or why there is none; until when."""

    endpoint: Endpoint | None
    reason: str
    until: float


class Federation:
    """Other servers."""

    def __init__(
        self,
        outside: Outside,
        find: Callable[[str], Awaitable[Service | None]] = find_service,
    ) -> None:
        self._outside = outside
        self._find_service = find
        self._findings: OrderedDict[str, Finding] = OrderedDict()
        self._slots = asyncio.Semaphore(_MAXIMUM_QUESTIONS)

    async def ask_user_info(self, server: str, token: str) -> Answer:
        """Ask a server whose OpenID token it is. Raise UnreachableError."""
        query = urlencode({"access_token": token})
        asked = False
        try:
            async with asyncio.timeout(_TOTAL_SECONDS), self._slots:
                asked = True
                endpoint = await self.find(server)
                try:
                    return await self._outside.get(endpoint, f"{USER_INFO}?{query}")
                except UnreachableError as error:
                    self._remember(server, None, str(error))
                    raise
        except TimeoutError as error:
            if asked:  # and not only waited while others were
                self._remember(server, None, "no answer in time")
            raise UnreachableError("no answer in time") from error

    async def find(self, server: str) -> Endpoint:
        """Return where a server is, as found a while ago or now. Raise UnreachableError."""
        known = self._findings.get(server)
        if known is None or known.until < time.monotonic():
            try:
                known = self._remember(server, await self._discover(server), "")
            except UnreachableError as error:
                known = self._remember(server, None, str(error))
        if known.endpoint is None:
            raise UnreachableError(known.reason)
        return known.endpoint

    def _remember(self, server: str, endpoint: Endpoint | None, reason: str) -> Finding:
        seconds = _REMEMBER_SECONDS if endpoint else _REMEMBER_FAILURE_SECONDS
        finding = Finding(endpoint, reason, time.monotonic() + seconds)
        if endpoint is None:
            _log.info("cannot ask %.80s whose token it is: %s", server, reason)
        self._findings[server] = finding
        self._findings.move_to_end(server)
        while len(self._findings) > _MAXIMUM_REMEMBERED:
            self._findings.popitem(last=False)
        return finding

    async def _discover(self, server: str) -> Endpoint:
        name = parse_server_name(server)
        if name is None:
            raise UnreachableError("is no server name")
        if name.address or name.port:
            return _at(name)
        return await self._locate(await self._read_well_known(name) or name)

    async def _locate(self, name: ServerName) -> Endpoint:
        """Return where a server is that well-known has nothing more to say of."""
        if name.address or name.port:
            return _at(name)
        for service in ("_matrix-fed", "_matrix"):  # the second one is of older servers
            if found := await self._find_service(f"{service}._tcp.{name.host}"):
                return Endpoint(found.host, found.port, name.host, name.host)
        return _at(name)

    async def _read_well_known(self, name: ServerName) -> ServerName | None:
        """Return whom a server delegates to, None where it does not say."""
        try:
            answer = await self._outside.get_page(f"https://{name}/.well-known/matrix/server")
            delegate = answer.object().get("m.server") if answer.status == 200 else None
        except UnreachableError:
            return None
        return parse_server_name(delegate) if isinstance(delegate, str) else None


def _at(name: ServerName) -> Endpoint:
    return Endpoint(name.host, name.port or _PORT, name.host, str(name))
