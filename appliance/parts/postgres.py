"""Postgres on its Unix socket: one role and one database per service, peer authentication."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from appliance.errors import Problem
from appliance.files import Directory, Entry, File
from appliance.machine import Machine
from appliance.parts.contract import Deployment, Part, Probe, Program
from appliance.paths import EXTERNAL_POSTGRES, POSTGRES_SOCKETS
from appliance.probe import CommandProbe
from appliance.render import render_template
from appliance.settings import Settings

MAJOR = 17
PSQL = f"/usr/lib/postgresql/{MAJOR}/bin/psql"
DATA = Path("/data/postgres")
EXTERNAL = Path(EXTERNAL_POSTGRES)
CLUSTER = DATA / str(MAJOR)
CONFIGURATION = "/run/postgres"
DATABASES = f"{CONFIGURATION}/databases.json"
_GIB = 1024**3
_MIB = 1024**2


@dataclass(frozen=True)
class Memory:
    """Memory settings, bytes where not a count. Source: PostgreSQL 17, chapter 19.4."""

    shared_buffers: int
    effective_cache_size: int
    work_mem: int
    maintenance_work_mem: int
    max_parallel_workers: int


def plan_memory(machine: Machine, given_bytes: int | None) -> Memory:
    """Divide what Postgres may use: a quarter of the memory, at most 1 GiB without a limit."""
    share = given_bytes or machine.memory_bytes // 4
    if not given_bytes and not machine.memory_limited:
        share = min(share, _GIB)
    return Memory(
        shared_buffers=_clamp(share // 2, 32 * _MIB, 8 * _GIB),
        effective_cache_size=_clamp(share * 2, 64 * _MIB, 64 * _GIB),
        work_mem=_clamp(share // 128, 2 * _MIB, 64 * _MIB),
        maintenance_work_mem=_clamp(share // 16, 16 * _MIB, _GIB),
        max_parallel_workers=max(0, min(machine.cores - 1, 8)),
    )


def _clamp(value: int, low: int, high: int) -> int:
    return max(low, min(value, high)) // _MIB * _MIB


class Postgres(Part):
    """The embedded database server."""

    name = "postgres"
    order = 10
    essential = True

    def enabled(self, settings: Settings, machine: Machine) -> bool:
        """Return whether the owner gives no server."""
        del machine
        return settings.postgres_url is None

    def problems(self, deployment: Deployment) -> Iterator[Problem]:
        """Yield a cluster of another major version where ours is missing, and data elsewhere."""
        del deployment
        if EXTERNAL.exists():
            yield Problem(
                "MATRIX_POSTGRES_URL",
                f"is not given, but the data of this server are in {EXTERNAL.read_text().strip()}: "
                'give it again. To move back into the volume see docs/operations.md, "A Postgres '
                'server of your own"',
            )
        if DATA.is_dir() and not CLUSTER.exists():
            # A copy that was cut off has another kind of name.
            found = sorted(path for path in DATA.iterdir() if path.name.isdigit())
            others = [path.name for path in found if (path / "PG_VERSION").exists()]
            if others:
                yield Problem(
                    str(DATA),
                    f"holds a cluster of Postgres {', '.join(others)}, and this image has Postgres "
                    f"{MAJOR}: dump it with the image that made it and restore the dump here",
                )

    def files(self, deployment: Deployment) -> Iterable[Entry]:
        """Return configuration outside the cluster, so that the cluster is data alone."""
        memory = plan_memory(deployment.machine, deployment.settings.postgres_memory)
        configuration = render_template(
            "run/postgres/postgresql.conf.j2",
            memory=memory,
            cluster=str(CLUSTER),
            configuration=CONFIGURATION,
            sockets=POSTGRES_SOCKETS,
        )
        databases = json.dumps(sorted(deployment.databases)) + "\n"
        return (
            Directory(str(DATA), "postgres", "postgres", 0o700, whole_tree=True),
            Directory(POSTGRES_SOCKETS, "postgres", "postgres", fresh=True),
            Directory(CONFIGURATION, "root", "postgres", 0o750),
            File(f"{CONFIGURATION}/postgresql.conf", configuration),
            File(f"{CONFIGURATION}/pg_hba.conf", render_template("run/postgres/pg_hba.conf.j2")),
            File(
                f"{CONFIGURATION}/pg_ident.conf", render_template("run/postgres/pg_ident.conf.j2")
            ),
            File(DATABASES, databases),
        )

    def programs(self, deployment: Deployment) -> Iterable[Program]:
        """Return the server and the one-shot that makes roles and databases."""
        del deployment
        return (
            Program(
                "postgres",
                # Python may lose a SIGINT that comes while it imports: the launcher unblocks it.
                ("env", "--block-signal=INT", "python", "-m", "appliance.launch.postgres"),
                "postgres",
                stop_signal="INT",
                stop_seconds=30,
            ),
            Program(
                "databases", ("python", "-m", "appliance.launch.databases"), "postgres", once=True
            ),
        )

    def probes(self, deployment: Deployment) -> Iterable[Probe]:
        """Return a query to each database that the server cannot do without.

        Another may not be there yet, or be made anew.
        """
        return [
            CommandProbe(
                (PSQL, "-XAtqh", POSTGRES_SOCKETS, "-U", "postgres", "-c", "SELECT 1", name)
            )
            for name in deployment.essential_databases
        ]


PART = Postgres()
