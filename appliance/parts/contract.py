"""The contract of a part: what each file of this package provides, and nothing of any one part."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from appliance.credentials import Credentials
from appliance.errors import Problem
from appliance.files import Entry
from appliance.machine import Machine
from appliance.settings import Settings


@dataclass(frozen=True)
class Deployment:
    """All that a part may know: what was asked for, the secrets, and the machine."""

    settings: Settings
    credentials: Credentials
    machine: Machine


@dataclass(frozen=True)
class Program:
    """A process that supervisor starts. It sees `environment` and nothing else."""

    name: str
    command: tuple[str, ...]
    user: str
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_signal: str = "TERM"
    stop_seconds: int = 4
    once: bool = False
    """Runs to its end at every boot instead of staying."""
    on_demand: bool = False
    """Not started at boot: somebody asks supervisor for it."""
    ports_below_1024: bool = False


@dataclass(frozen=True)
class Check:
    """What a part answered to a real question."""

    healthy: bool
    detail: str


class Part(ABC):
    """A unit of the running appliance."""

    name: ClassVar[str]
    essential: ClassVar[bool] = False
    """Whether the container ends when this part gave up for good."""
    credentials: ClassVar[tuple[str, ...]] = ()
    """Names of the secrets that are made once for it."""

    def enabled(self, settings: Settings, machine: Machine) -> bool:
        """Return whether this deployment has the part."""
        del settings, machine
        return True

    def problems(self, deployment: Deployment) -> Iterable[Problem]:
        """Yield what stands in the way of a start: ports, files of the owner, data."""
        del deployment
        return ()

    @abstractmethod
    def files(self, deployment: Deployment) -> Iterable[Entry]:
        """Return what the part needs on disk. Pure but for reading the owner's own files."""

    @abstractmethod
    def programs(self, deployment: Deployment) -> Iterable[Program]:
        """Return the part's processes, in the order of their start."""

    def check(self, deployment: Deployment) -> Check:
        """Ask the running part a real question. Raises nothing."""
        del deployment
        return Check(healthy=True, detail="has no server of its own")
