"""Start a program once Synapse answers: before that nobody needs it, and it would hold up the boot.

Usage: ADDRESS:PORT COMMAND… Waits for half a minute at the most, since a Synapse that is down for
longer is no reason to be down too. Runs as the program's user; imports little.
"""

import os
import sys
import time

from appliance.probe import HttpProbe

_RETRY_SECONDS = 0.2
_PATIENCE_SECONDS = 30


def main() -> None:
    """Wait until Synapse answers, then become the program."""
    address, *command = sys.argv[1:]
    question, begin = HttpProbe(address, "/health"), time.monotonic()
    while not _is_answered(question) and time.monotonic() < begin + _PATIENCE_SECONDS:
        time.sleep(_RETRY_SECONDS)
    os.execvp(command[0], command)  # noqa: S606 - it becomes the program


def _is_answered(question: HttpProbe) -> bool:
    try:
        question.ask()
    except OSError:
        return False
    return True


if __name__ == "__main__":
    main()
