"""Watch that bridges are connected: one that is refused tries for ever, and no program fails.

What a bridge is asked is data of its part (paths.BRIDGE_PROBES); knows no bridge by name.
"""

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from appliance.jobs.contract import Finding, Job, Programs
from appliance.paths import BRIDGE_PROBES
from appliance.probe import Check, Probe, ask, from_json

# The first start of a bridge with Synapse slow, and a restart of Postgres under it, take less.
_DEADLINE_SECONDS = 60


class Watch:
    """Remembers since when each bridge has not been well."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}

    def judge(self, checks: Mapping[str, Check], now: float) -> Finding:
        """Return what to say of bridges that answered so: nothing before the deadline."""
        unwell = {name: check.detail for name, check in checks.items() if not check.healthy}
        self._since = {name: self._since.get(name, now) for name in unwell}
        late = {
            name: detail
            for name, detail in unwell.items()
            if now - self._since[name] >= _DEADLINE_SECONDS
        }
        if late:
            return Finding(ok=False, detail="; ".join(self._word(late, now)))
        return Finding(ok=True, detail=f"{len(checks) - len(unwell)} of {len(checks)} connected")

    def _word(self, late: Mapping[str, str], now: float) -> Iterator[str]:
        for name, detail in sorted(late.items()):
            minutes = int(now - self._since[name]) // 60
            yield (
                f"{name} has not been connected for {minutes} min ({detail}); see "
                f"`appliance bridge logs {name}`"
            )

    async def look(self, programs: Programs) -> Finding:
        """Ask every bridge."""
        del programs
        probes = from_json(Path(BRIDGE_PROBES).read_text())
        return self.judge(await _ask_all(probes), time.monotonic())


async def _ask_all(probes: Mapping[str, Iterable[Probe]]) -> dict[str, Check]:
    checks = await asyncio.gather(*(asyncio.to_thread(ask, one) for one in probes.values()))
    return dict(zip(probes, checks, strict=True))


JOB = Job("bridges", 10, Watch().look, needs_file=BRIDGE_PROBES)
