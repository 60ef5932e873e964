"""Delegated leaves: a caller's delayed leave is put off while LiveKit has them, and sent when gone.

A caller whose device died cannot say so: this does. LiveKit is asked who is there, rather than
believed when it tells, since it tells nothing when it is killed. Every job is on disk, so that a
restart of ours forgets nobody. Source: MSC4195, "Delegation of delayed leave events".
"""

import asyncio
import json
import logging
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from appliance.rtc.bodies import Delay
from appliance.rtc.errors import UnreachableError
from appliance.rtc.homeserver import Action, Homeserver
from appliance.rtc.sfu import Sfu

_log = logging.getLogger("rtc")
_LOOK_SECONDS = 1
_RETRY_SECONDS = 3
# Of the time after which the homeserver would send it by itself.
_RESTART_SHARE = 0.8
# As long may a caller be away who only changes networks or opens the page again.
_AWAY_SECONDS = 3
# And as long once LiveKit itself was away, whose callers come back to the next one.
_RETURN_SECONDS = 30
_MAXIMUM_JOBS = 5000


@dataclass
class Job:
    """A leave that is ours to send. Times are of the wall clock: they outlive this process."""

    room: str
    identity: str
    delay_id: str
    timeout_seconds: float
    given_up_at: float
    """When a caller who never came is no longer waited for: the homeserver has sent it then."""
    came: bool = False
    gone_at: float | None = None
    """From when on a caller who is not there has left."""
    restart_at: float = 0

    @property
    def key(self) -> tuple[str, str]:
        """What there is one job for."""
        return self.room, self.identity


class Departures:
    """All jobs, and the one task that does them."""

    def __init__(
        self,
        file: Path,
        sfu: Sfu,
        homeserver: Homeserver,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._file = file
        self._sfu = sfu
        self._homeserver = homeserver
        self._clock = clock
        self._jobs = {job.key: job for job in _read(file)}
        self._something_to_do = asyncio.Event()
        if self._jobs:
            self._something_to_do.set()

    def watch(self, room: str, identity: str, delay: Delay) -> None:
        """Take over a leave, in the place of an older one of the same caller."""
        until = self._clock() + delay.timeout_seconds
        job = Job(room, identity, delay.delay_id, delay.timeout_seconds, until)
        self._jobs.pop(job.key, None)
        while len(self._jobs) >= _MAXIMUM_JOBS:  # the oldest: its own delay still holds
            del self._jobs[next(iter(self._jobs))]
        self._jobs[job.key] = job
        self._save()
        self._something_to_do.set()

    async def run(self) -> None:
        """Do the jobs for ever."""
        while True:
            await self._something_to_do.wait()
            await self.look()
            if not self._jobs:
                self._something_to_do.clear()
            await asyncio.sleep(_LOOK_SECONDS)

    async def look(self) -> None:
        """Look once who is there and do what follows."""
        jobs = [*self._jobs.values()]
        before = [asdict(job) for job in jobs]
        there = await self._find_callers({job.room for job in jobs})
        await asyncio.gather(*(self._do(job, there.get(job.room)) for job in jobs))
        if before != [asdict(job) for job in self._jobs.values()]:
            self._save()

    async def _find_callers(self, rooms: set[str]) -> dict[str, set[str]]:
        """Return who is in each room; a room that is away, or all of LiveKit, is not in it."""
        try:
            found = await self._sfu.list_rooms(rooms)
            return {room: await self._sfu.list_callers(room) for room in found}
        except UnreachableError:
            return {}

    async def _do(self, job: Job, callers: set[str] | None) -> None:
        """Do what one job needs; `callers` is None where the room, or all of LiveKit, is away."""
        now = self._clock()
        if callers is not None and job.identity in callers:
            job.came, job.gone_at = True, None
            if now >= job.restart_at:
                await self._restart(job, now)
        elif not job.came:
            if now >= job.given_up_at:
                self._drop(job)
        elif job.gone_at is None:
            job.gone_at = now + (_RETURN_SECONDS if callers is None else _AWAY_SECONDS)
        elif now >= job.gone_at:
            await self._send(job, now)

    async def _restart(self, job: Job, now: float) -> None:
        try:
            if not await self._homeserver.manage_delayed_event(job.delay_id, Action.RESTART):
                self._drop(job)
            job.restart_at = now + job.timeout_seconds * _RESTART_SHARE
        except UnreachableError as error:
            _log.info("a leave could not be put off: %s", error)
            job.restart_at = now + _RETRY_SECONDS

    async def _send(self, job: Job, now: float) -> None:
        try:
            await self._homeserver.manage_delayed_event(job.delay_id, Action.SEND)
            self._drop(job)
        except UnreachableError as error:
            _log.info("a leave could not be sent: %s", error)
            job.gone_at = now + _RETRY_SECONDS

    def _drop(self, job: Job) -> None:
        if self._jobs.get(job.key) is job:
            del self._jobs[job.key]

    def _save(self) -> None:
        new = self._file.with_suffix(".new")
        new.write_text(json.dumps([asdict(job) for job in self._jobs.values()]) + "\n")
        new.chmod(0o600)
        new.replace(self._file)


def _read(file: Path) -> list[Job]:
    """Return what an earlier process left. A file that cannot be read holds nothing for us."""
    try:
        return [Job(**row) for row in json.loads(file.read_text())]
    except FileNotFoundError:
        return []
    except (ValueError, TypeError, OSError) as error:
        _log.warning("%s cannot be read, so its callers leave by themselves: %s", file, error)
        return []
