"""Start nginx: first end what an earlier one left behind, then become it.

A master that was killed leaves its workers, which go on holding the ports. Runs as `nginx`, a user
who has nothing else.
"""

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path


def find_left_behind() -> Iterator[int]:
    """Yield every other process of this user. Source: proc_pid(5)."""
    for directory in Path("/proc").iterdir():
        if directory.name.isdigit() and int(directory.name) != os.getpid():
            with contextlib.suppress(FileNotFoundError):
                if directory.stat().st_uid == os.getuid():
                    yield int(directory.name)


def main() -> None:
    """Become nginx with this process's arguments."""
    for process in find_left_behind():
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    os.execvp("nginx", ["nginx", *sys.argv[1:]])  # noqa: S606 - it becomes nginx


if __name__ == "__main__":
    main()
