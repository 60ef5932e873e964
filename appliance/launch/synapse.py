"""Start Synapse: import it first, then wait for its database, then become it.

The imports are most of a start and need no database. Runs as `synapse`.
Source: measured, docs/decisions/001-boot.md.
"""

import gc
import time
from pathlib import Path

from appliance.paths import DATABASES_READY

_RETRY_SECONDS = 0.01


def main() -> None:
    """Run the homeserver with this process's arguments."""
    gc.disable()  # until it serves: what is made before stays
    from synapse.app import homeserver
    from twisted.internet import reactor

    reactor.callWhenRunning(gc.enable)
    ready = Path(DATABASES_READY)
    while not ready.exists():
        time.sleep(_RETRY_SECONDS)
    homeserver.main()


if __name__ == "__main__":
    main()
