"""Start Postgres: on an empty volume first put a cluster in place, then become the server.

Runs as `postgres`; imports little, since everything else waits for it.
"""

import os
import shutil
import signal
import sys
from pathlib import Path

from appliance.errors import EXIT_FAILED, CommandError
from appliance.process import run

MAJOR = 17
CLUSTER = Path(f"/data/postgres/{MAJOR}")
TEMPLATE = Path("/usr/share/appliance/postgres-template")
CONFIGURATION = "/run/postgres/postgresql.conf"

_INITDB = (
    "initdb --username=postgres --auth=peer --encoding=UTF8 --locale=C --data-checksums --no-sync"
).split()


def ensure_cluster(cluster: Path = CLUSTER, template: Path = TEMPLATE) -> None:
    """Make the cluster if there is none: a copy of the image's own, or a new one without it.

    The name appears only when all of it is on disk, so a stop at any moment leaves no half.
    Raise CommandError if a step fails.
    """
    if (cluster / "PG_VERSION").exists():
        return
    partial = cluster.with_name(f".{cluster.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    if template.is_dir():
        run(["cp", "-a", "--reflink=auto", f"{template}", f"{partial}"])
    else:
        run([*_INITDB, "--pgdata", f"{partial}"])
    partial.chmod(0o700)
    run(["sync", "--file-system", f"{partial}"])
    partial.rename(cluster)
    run(["sync", f"{cluster.parent}"])


def main() -> None:
    """Ensure the cluster and become Postgres. Until then a SIGINT ends it at once."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    try:
        ensure_cluster()
    except CommandError as error:
        print(f"no cluster could be made: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(EXIT_FAILED)
    os.execvp("postgres", ["postgres", "-c", f"config_file={CONFIGURATION}"])  # noqa: S606


if __name__ == "__main__":
    main()
