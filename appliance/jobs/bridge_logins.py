"""Tell which log-ins at other networks are lost, from what the bridges post.

Each owner is told by the bridge itself in the chat with its bot (`bridge_status_notices`); here
whoever looks after the server learns it. Knows no bridge by name.
"""

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING

from appliance.bridges.posts import Logins, Source, describe
from appliance.jobs.contract import Finding, Job, Programs
from appliance.paths import BRIDGE_LOGINS, BRIDGE_POSTS

if TYPE_CHECKING:
    from appliance.bridges.receiver import Receiver


class Watch:
    """Listens from its first look on."""

    def __init__(self) -> None:
        self._receiver: Receiver | None = None
        self._server: asyncio.Server | None = None

    async def look(self, programs: Programs) -> Finding:
        """Tell which log-ins are lost by now."""
        del programs
        if self._receiver is None or self._server is None:
            from appliance.bridges.receiver import Receiver  # most servers have no bridge

            source = Source.from_json(Path(BRIDGE_POSTS).read_text())
            self._receiver = Receiver(source, Path(BRIDGE_LOGINS))
            self._server = await self._receiver.listen()
        return judge(self._receiver.logins, self._receiver.source, time.time())


def judge(logins: Logins, source: Source, now: float) -> Finding:
    """Return what to say of the log-ins there are."""
    posters = {poster.name: poster for poster in source.posters.values()}
    ailing = [describe(one, posters[one.bridge], now) for one in logins.ailing(now)]
    if ailing:
        return Finding(ok=False, detail="; ".join(ailing))
    return Finding(ok=True, detail=f"{len(logins)} log-ins, none of them lost")


JOB = Job("bridge-logins", 5, Watch().look, needs_file=BRIDGE_POSTS)
