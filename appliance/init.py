"""PID 1 from its first moment: the boot runs in a process of its own, and PID 1 becomes supervisor.

Importing supervisor and planning the boot take a tenth of a second each; so they go side by side.
Decides nothing; imports next to nothing.
"""

import os
import signal
import sys
from typing import NoReturn

from appliance.paths import DATA

# All that supervisor and so every program inherits; what else a program sees is its part's to say.
_INHERITED = ("PATH", "LANG", "TZ")


def open_lock() -> int | None:
    """Open the directory that the boot locks, so that PID 1 holds it for as long as it lives.

    None where there is none: the boot says so.
    """
    try:
        lock = os.open(DATA, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return None
    os.set_inheritable(lock, True)  # across the exec below; supervisor gives it to no program
    return lock


def main() -> NoReturn:
    """Boot and supervise; with arguments be the `appliance` command instead."""
    if sys.argv[1:]:
        os.execvp("appliance", ["appliance", *sys.argv[1:]])  # noqa: S606 - it becomes the command
    # A SIGTERM waits until somebody can hear it: as PID 1 it would be lost.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    lock = open_lock()
    boot = os.fork()
    if boot == 0:
        # It ends at once: all it writes is written in one step, and an exception that a handler
        # raises may be caught or changed by whoever is at work.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGINT})
        from appliance import entrypoint

        status = entrypoint.main(lock)
        sys.stderr.flush()
        os._exit(status)  # there is nothing to tidy up, and supervisor waits for it
    environment = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    command = [sys.executable, "-m", "appliance.supervisord", str(boot)]
    os.execve(sys.executable, command, environment)  # noqa: S606 - PID 1 becomes it
