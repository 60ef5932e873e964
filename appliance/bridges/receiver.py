"""Where bridges post how their log-ins are: on loopback, each known by its token.

What they posted is kept in a file, for an agent that starts anew.
"""

import asyncio
import json
import time
from http import HTTPStatus
from pathlib import Path

from appliance import http_server
from appliance.bridges.posts import PATH, Logins, Source, digest
from appliance.files import write_atomically
from appliance.http_server import Request, Response


class Receiver:
    """What bridges posted, and how their posts are answered."""

    def __init__(self, source: Source, kept: Path) -> None:
        self.source = source
        self._kept = kept
        self.logins = Logins.from_json(kept.read_text()) if kept.exists() else Logins()
        self.logins.keep_only(poster.name for poster in source.posters.values())

    async def listen(self) -> asyncio.Server:
        """Begin to take posts. Raise OSError if the port is taken."""
        return await http_server.serve_at(self.source.host, self.source.port, self.answer)

    async def answer(self, request: Request) -> Response:
        """Take a post. A bridge that is refused tries again for ever, so none is that is one."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        poster = self.source.posters.get(digest(token)) if scheme == "Bearer" else None
        if request.path != PATH or poster is None:
            return Response(HTTPStatus.FORBIDDEN)
        try:
            post = json.loads(request.body)
        except ValueError:
            post = None
        if request.method != "POST" or not isinstance(post, dict):
            return Response(HTTPStatus.BAD_REQUEST)
        self.logins.take(poster.name, post, time.time())
        write_atomically(self._kept, self.logins.to_json(), mode=0o600, owner=-1, group=-1)
        return Response(HTTPStatus.OK, b"{}")
