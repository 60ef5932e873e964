"""The agent's loop: runs every job by its clock and keeps what each found in one file.

Runs as `agent`, with supervisor's socket as its only power; not reachable from anywhere.
"""

import asyncio
import json
import logging
import sys
import time
from pathlib import Path

from appliance import jobs
from appliance.jobs.contract import Finding, Job, Programs
from appliance.paths import AGENT_STATE, PROGRAMS

_log = logging.getLogger("agent")


class State:
    """What each job found last, in a file that is replaced in one step."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._jobs: dict[str, dict[str, object]] = {}

    def record(self, job: Job, finding: Finding) -> None:
        """Write down a finding, and log it when it is another than before."""
        before = self._jobs.get(job.name, {"ok": True})
        if before["ok"] != finding.ok and not finding.told:
            _log.log(
                logging.INFO if finding.ok else logging.WARNING, "%s: %s", job.name, finding.detail
            )
        self._jobs[job.name] = {"ok": finding.ok, "detail": finding.detail, "time": time.time()}
        temporary = self._path.with_suffix(".new")
        temporary.write_text(json.dumps({"jobs": self._jobs}, indent=1) + "\n")
        temporary.replace(self._path)


async def run_job(job: Job, programs: Programs, state: State) -> None:
    """Run a job for ever. Its failure is a finding, with the traceback in the log."""
    while True:
        try:
            finding = await job.run(programs)
        except Exception as error:
            _log.exception("%s failed", job.name)
            finding = Finding(ok=False, detail=f"failed: {error}")
        state.record(job, finding)
        await asyncio.sleep(job.interval_seconds)


def has_work(job: Job, programs: Programs) -> bool:
    """Return whether a job has something to do in this deployment."""
    return (job.needs_program is None or job.needs_program in programs) and (
        job.needs_file is None or Path(job.needs_file).exists()
    )


async def main() -> None:
    """Run every job that has something to do in this deployment."""
    programs: Programs = json.loads(Path(PROGRAMS).read_text())
    state = State(Path(AGENT_STATE))
    async with asyncio.TaskGroup() as group:
        for job in jobs.every():
            if has_work(job, programs):
                group.create_task(run_job(job, programs, state))


if __name__ == "__main__":
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(levelname)s %(message)s")
    asyncio.run(main())
