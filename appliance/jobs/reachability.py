"""Come in through every name of this server now and then, and tell where each leads."""

import asyncio
import contextlib
import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from appliance import public_address
from appliance.dns.state import State
from appliance.endpoint import Endpoint
from appliance.jobs.contract import Finding, Job, Programs
from appliance.paths import ARRIVALS, ARRIVALS_URL, REACHABILITY_SOURCE
from appliance.reachability import Answer, Arrival, Verdict, judge, visit
from appliance.reachability.judgement import Name
from appliance.reachability.source import Source
from appliance.resolver import look_up

_LOOK_SECONDS = 10
_INTERVAL_SECONDS = 600
_AFTER_TROUBLE_SECONDS = 30
# For the public address and the records to be known first.
_PATIENCE_SECONDS = 60


@dataclass
class Scout:
    """What the job remembers between two looks."""

    _began: float = 0
    _due: float = 0
    _in_trouble: bool = False
    _finding: Finding = field(default_factory=lambda: Finding(ok=True, detail="not looked at yet"))

    async def look(self, programs: Programs) -> Finding:
        """Visit the names if it is time to."""
        del programs
        now = time.monotonic()
        self._began = self._began or now
        if now < self._due:
            return self._finding
        source = Source.from_json(Path(REACHABILITY_SOURCE).read_text())
        zone = State.read()
        public = _find_public(source)
        ready = public and (zone or not source.reads_zone)
        if not ready and now - self._began < _PATIENCE_SECONDS:
            return self._finding
        arrivals = await _visit_all(source, public, zone)
        if arrivals is None:
            return self._finding
        well = all(arrival.well for arrival in arrivals)
        self._due = time.monotonic() + (_INTERVAL_SECONDS if well else _AFTER_TROUBLE_SECONDS)
        # A record that was written just now is not seen everywhere at once: only trouble that
        # lasts is told.
        if well or self._in_trouble:
            self._finding = Finding(ok=well, detail=summarize(arrivals))
        self._in_trouble = not well
        return self._finding


def summarize(arrivals: Sequence[Arrival]) -> str:
    """Return where the names lead, those that say the same together, the worst first."""
    together: dict[tuple[Verdict, str], list[str]] = {}
    for arrival in arrivals:
        together.setdefault((arrival.verdict, arrival.detail), []).append(arrival.name)
    worst_first = sorted(together, key=lambda key: -list(Verdict).index(key[0]))
    return "; ".join(
        f"{', '.join(together[verdict, detail])}: {_word(verdict, detail)}"
        for verdict, detail in worst_first
    )


def _word(verdict: Verdict, detail: str) -> str:
    return f"{verdict} {detail}" if verdict is Verdict.HERE else f"{verdict} ({detail})"


def _find_public(source: Source) -> tuple[str, ...]:
    if source.given:
        return source.given
    found = public_address.find()
    return tuple(map(str, found.addresses)) if found else ()


async def _visit_all(
    source: Source, public: tuple[str, ...], zone: State | None
) -> list[Arrival] | None:
    """Return where every name leads; None while nginx itself does not answer yet."""
    with _lay_out() as (path, word):

        async def come(name: str, at: Endpoint, tls: bool) -> Answer:
            return await asyncio.to_thread(visit, name, at, path, word, tls=tls)

        if await come(source.visited[0], source.local, source.local_tls) is not Answer.OURS:
            return None
        names = (*source.visited, *source.compared)
        found = await asyncio.gather(*(asyncio.to_thread(look_up, name) for name in names))
        places = [
            (name, address)
            for name, lookup in zip(names, found, strict=True)
            for address in lookup.addresses
            if name in source.visited
        ]
        came = await asyncio.gather(
            *(come(name, Endpoint(address, source.port), source.tls) for name, address in places)
        )
    answers = dict(zip(places, came, strict=True))
    told, proxied = read_zone(zone), find_proxied(zone)
    return judge(
        (
            Name(
                name,
                lookup,
                {address: answers[name, address] for address in lookup.addresses}
                if name in source.visited
                else None,
                told.get(name, ()),
                name in proxied,
            )
            for name, lookup in zip(names, found, strict=True)
        ),
        public,
    )


@contextlib.contextmanager
def _lay_out() -> Iterator[tuple[str, str]]:
    """Lay a word where nginx serves it, for as long as the block."""
    name, word = secrets.token_urlsafe(16), secrets.token_urlsafe(32)
    file = Path(ARRIVALS) / name
    file.write_text(word)
    file.chmod(0o644)
    try:
        yield f"{ARRIVALS_URL}{name}", word
    finally:
        file.unlink()


def read_zone(state: State | None) -> dict[str, tuple[str, ...]]:
    """Return the addresses of each name in the zone, where the world is told just these."""
    told: dict[str, tuple[str, ...]] = {}
    rows = state.rows if state else ()
    indirect = {row.name for row in rows if row.type == "CNAME"} | find_proxied(state)
    for row in rows:
        if row.now and row.name not in indirect:
            told[row.name] = (*told.get(row.name, ()), row.now)
    return told


def find_proxied(state: State | None) -> set[str]:
    """Return the names of which the world is told an address of Cloudflare's."""
    return {row.name for row in state.rows if row.proxied} if state else set()


JOB = Job("reachability", _LOOK_SECONDS, Scout().look, needs_file=REACHABILITY_SOURCE)
