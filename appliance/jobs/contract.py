"""The contract of a job: what it is called, how often it runs, and what it found."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

Programs = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Finding:
    """What a job found: whether all is well, and a sentence for `appliance status`."""

    ok: bool
    detail: str
    told: bool = False
    """Whether a program has logged it already."""


@dataclass(frozen=True)
class Job:
    """Something the agent does again and again.

    `needs_program` names the program, `needs_file` the rendered file, without which the job has
    nothing to do in this deployment.
    `run` is given the programs of `paths.PROGRAMS`; an exception of its own is a finding.
    """

    name: str
    interval_seconds: float
    run: Callable[[Programs], Awaitable[Finding]]
    needs_program: str | None = None
    needs_file: str | None = None
