"""The boot, from the environment to files on disk; reads top to bottom as the design's flow.

Nothing here starts a server, so a SIGTERM at any moment leaves nothing half-made. When it has ended
well, PID 1, which is supervisor by then, starts what it wrote (appliance/init.py).
"""

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from appliance import __version__, certificates, credentials, data, files, machine, probe, supervise
from appliance import parts as all_parts
from appliance import settings as variables
from appliance.credentials import Credential, Credentials
from appliance.errors import (
    EXIT_CONFIGURATION,
    EXIT_FAILED,
    ConfigurationError,
    OperationError,
    Problem,
)
from appliance.external_postgres import preparation
from appliance.files import Entry, File
from appliance.parts.contract import Deployment, Part, Program, PublicPort
from appliance.paths import HEALTH, SETTINGS
from appliance.settings import Settings


@dataclass(frozen=True)
class Plan:
    """What a boot would do: the deployment, its files and its programs."""

    deployment: Deployment
    parts: tuple[Part, ...]
    programs: tuple[tuple[Part, Program], ...]
    entries: tuple[Entry, ...]

    def warnings(self) -> Iterator[str]:
        """Yield what the owner should know although it does not stand in the way of a start."""
        yield from map(str, self.deployment.settings.warnings())
        for part in self.parts:
            yield from part.warnings(self.deployment)


def plan(
    environment: Mapping[str, str],
    read_credentials: Callable[[Iterable[Credential]], Credentials] = credentials.load,
    lock: int | None = None,
    judge_outside: Callable[[Settings, tuple[str, ...]], None] = lambda *_: None,
) -> Plan:
    """Given an environment, return the whole boot without doing it.

    `lock` is a descriptor of `/data` that shall hold it, None to take no hold of it.
    `judge_outside` asks the owner's database server, with the databases that are needed there.
    Raise ConfigurationError with every problem there is.
    """
    settings, problems = variables.judge(environment)
    if settings is None:
        raise ConfigurationError(problems)
    this_machine = machine.measure()
    enabled = all_parts.enabled(settings, this_machine)
    draft = Deployment(settings, Credentials({}), this_machine, all_parts.databases(enabled))
    wanted = all_parts.credentials(settings, enabled)
    problems += _problems(draft, enabled, wanted, lock)
    if problems:
        raise ConfigurationError(problems)
    judge_outside(settings, draft.databases)
    return draw(replace(draft, credentials=read_credentials(wanted)), environment)


def draw(deployment: Deployment, environment: Mapping[str, str]) -> Plan:
    """Given what a deployment may know, return its parts, programs and files. Judges nothing."""
    enabled = all_parts.enabled(deployment.settings, deployment.machine)
    deployment = replace(
        deployment,
        databases=all_parts.databases(enabled),
        essential_databases=tuple(
            database for part in enabled if part.essential for database in part.databases
        ),
        appservices=tuple(name for part in enabled for name in part.appservices),
        tls_services=tuple(one for part in enabled for one in part.tls_services(deployment)),
    )
    programs = tuple((part, program) for part in enabled for program in part.programs(deployment))
    entries = (
        *supervise.files(programs),
        _render_settings(environment),
        _render_health(deployment, enabled),
        *(entry for part in enabled for entry in part.files(deployment)),
    )
    return Plan(deployment, enabled, programs, entries)


def main(lock: int | None) -> int:
    """Boot and return the exit status: 0, 2 if the configuration forbids it, 1 if a step failed."""
    try:
        boot = plan(os.environ, credentials.load_or_create, lock, preparation.judge_when_there)
        settings, databases = boot.deployment.settings, boot.deployment.databases
        preparation.make_ready(settings, databases, boot.deployment.credentials)
        data.claim(settings)
        certificates.ensure(settings, boot.deployment.tls_services)
        files.apply(boot.entries)
    except ConfigurationError as error:
        _say("not started, because of:", *map(str, error.problems))
        return EXIT_CONFIGURATION
    except OperationError as error:
        _say(f"not started: {error}")
        return EXIT_FAILED
    _say(
        *(f"warning: {warning}" for warning in boot.warnings()),
        _summarize(settings),
        *_say_ports(boot.deployment),
    )
    return 0


def _problems(
    draft: Deployment, enabled: Iterable[Part], wanted: Iterable[Credential], lock: int | None
) -> Iterable[Problem]:
    """Yield everything that stands in the way, before anything is written."""
    found = [*data.problems(draft.settings, lock)]
    yield from found
    if not found:
        first_boot = data.read_identity() is None
        yield from credentials.problems(wanted, first_boot=first_boot)
    for part in enabled:
        yield from part.problems(draft)


def _render_settings(environment: Mapping[str, str]) -> File:
    """Keep what was given, for the command line in any shell of this machine."""
    given = {name: environment[name] for name in sorted(environment) if name.startswith("MATRIX_")}
    text = json.dumps({"environment": given}, indent=2) + "\n"
    return File(SETTINGS, text, mode=0o600, secret=True)


def _render_health(deployment: Deployment, enabled: Iterable[Part]) -> File:
    """Keep what health means, so that asking needs no settings."""
    probes = {part.name: part.probes(deployment) for part in enabled if part.essential}
    return File(HEALTH, probe.to_json(probes))


def _summarize(settings: Settings) -> str:
    kind = "private trial on this machine" if settings.trial else f"server {settings.server_name}"
    first = "appliance user add NAME --admin, inside the container"
    if settings.admin_invite:
        first = "by the link that the first boot logs"
    return f"matrix-appliance {__version__}, {kind}: {settings.chat_url}; first user: {first}"


def public_ports(deployment: Deployment) -> tuple[PublicPort, ...]:
    """Return the ports that people beyond this machine must reach; none where none can."""
    settings = deployment.settings
    if not settings.listens_beyond_loopback:
        return ()
    enabled = all_parts.enabled(settings, deployment.machine)
    return tuple(port for part in enabled for port in part.public_ports(deployment))


def _say_ports(deployment: Deployment) -> Iterable[str]:
    if ports := ", ".join(map(str, public_ports(deployment))):
        yield f"router and firewall must let through {ports}; see `appliance ports`"


def _say(*lines: str) -> None:
    for line in lines:
        print(f"appliance: {line}", file=sys.stderr)  # noqa: T201
