"""The contract of a part: what each file of this package provides, and nothing of any one part."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from appliance.certificates.service import TlsService
from appliance.credentials import Credential, Credentials
from appliance.errors import Problem
from appliance.files import Entry
from appliance.listeners import Protocol
from appliance.machine import Machine
from appliance.probe import Check, Probe, ask
from appliance.settings import Settings

__all__ = ["Check", "Deployment", "Part", "Probe", "Program", "PublicPort", "TlsService"]


@dataclass(frozen=True)
class Deployment:
    """All that a part may know: what was asked for, the secrets, and the machine."""

    settings: Settings
    credentials: Credentials
    machine: Machine
    databases: tuple[str, ...] = ()
    """Of all enabled parts: role, database and system user of one name."""
    tls_services: tuple[TlsService, ...] = ()
    """Of all enabled parts: who serves the published certificate."""
    essential_databases: tuple[str, ...] = ()
    """Those of parts without which the container ends."""
    appservices: tuple[str, ...] = ()
    """Of all enabled parts: the names of what Synapse pushes events to."""


@dataclass(frozen=True)
class PublicPort:
    """A port, or a range of them, that people beyond this machine have to reach."""

    protocol: Protocol
    first: int
    purpose: str
    last: int | None = None

    def __str__(self) -> str:
        ports = str(self.first) if self.last in (None, self.first) else f"{self.first}-{self.last}"
        return f"{ports}/{self.protocol}"


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
    leaves_first: bool = False
    """Asks other programs until its end: they are told to stop when it is gone."""
    talkative: bool = False
    """Strangers can make it write lines without end: only so many of them are kept."""


class Part(ABC):
    """A unit of the running appliance."""

    name: str
    order: int = 50
    """Parts start in this order and are told to stop in the reverse, and none waits for another:
    who needs one waits for it."""
    essential: bool = False
    """Whether the container ends when this part gave up for good."""
    credentials: tuple[Credential, ...] = ()
    """Secrets that are made once for it."""
    databases: tuple[str, ...] = ()
    """Databases it needs: each is also the name of the role that owns it and of its system user."""
    appservices: tuple[str, ...] = ()
    """Application services it has: Synapse reads NAME.yaml in `paths.REGISTRATIONS`."""

    def enabled(self, settings: Settings, machine: Machine) -> bool:
        """Return whether this deployment has the part."""
        del settings, machine
        return True

    def problems(self, deployment: Deployment) -> Iterable[Problem]:
        """Yield what stands in the way of a start: ports, files of the owner, data."""
        del deployment
        return ()

    def warnings(self, deployment: Deployment) -> Iterable[str]:
        """Yield what the owner should know of a start that goes on all the same."""
        del deployment
        return ()

    @abstractmethod
    def files(self, deployment: Deployment) -> Iterable[Entry]:
        """Return what the part needs on disk. Pure but for reading the owner's own files."""

    @abstractmethod
    def programs(self, deployment: Deployment) -> Iterable[Program]:
        """Return the part's processes, in the order of their start."""

    def tls_services(self, deployment: Deployment) -> Iterable[TlsService]:
        """Return the programs that serve the published certificate, none without TLS."""
        del deployment
        return ()

    def public_ports(self, deployment: Deployment) -> Iterable[PublicPort]:
        """Return what the router and the firewall must let through to it."""
        del deployment
        return ()

    def probes(self, deployment: Deployment) -> Iterable[Probe]:
        """Return the real questions that tell whether it is well; every probe must succeed.

        Those of essential parts are kept as data for `appliance health`, which must stay cheap.
        """
        del deployment
        return ()

    def check(self, deployment: Deployment) -> Check:
        """Ask the running part a real question. Raises nothing."""
        return ask(self.probes(deployment))
