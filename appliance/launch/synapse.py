"""Start Synapse: import it first, then wait for its database, then become it.

The imports are most of a start and need no database. Runs as `synapse`.
Source: measured, docs/decisions/001-boot.md.
"""

import gc
import os
import time
from pathlib import Path

from appliance.paths import DATABASE_MADE, DATABASES_READY

EXTERNAL_DATABASE = "EXTERNAL_DATABASE"
"""The variable that says where the owner's database is, if it is there that Synapse has its own."""
_RETRY_SECONDS = 0.01
_RETRY_EXTERNAL_SECONDS = 1
_SAY_AGAIN_SECONDS = 60


def main() -> None:
    """Run the homeserver with this process's arguments."""
    gc.disable()  # until it serves: what is made before stays
    from synapse.app import homeserver
    from twisted.internet import reactor

    reactor.callWhenRunning(gc.enable)
    if external := os.environ.get(EXTERNAL_DATABASE):
        # Its tables are there by then: from now on a database without them is the wrong one.
        reactor.callWhenRunning(Path(DATABASE_MADE).touch)
        wait_for(external)
    else:
        ready = Path(DATABASES_READY)
        while not ready.exists():
            time.sleep(_RETRY_SECONDS)
    homeserver.main()


def wait_for(conninfo: str) -> None:
    """Wait until a database takes connections: Synapse ends where it does not."""
    import psycopg2

    said = 0.0
    while True:
        try:
            psycopg2.connect(conninfo).close()
        except psycopg2.OperationalError as error:
            if time.monotonic() > said + _SAY_AGAIN_SECONDS:
                said = time.monotonic()
                print(f"waiting for the database: {error}".rstrip(), flush=True)  # noqa: T201
            time.sleep(_RETRY_EXTERNAL_SECONDS)
        else:
            return


if __name__ == "__main__":
    main()
