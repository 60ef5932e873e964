"""Start a program once Synapse answers: before that nobody needs it, and it would hold up the boot.

Usage: ADDRESS:PORT FILE COMMAND… With FILE there the program has run before, and is not held up.
Waits for half a minute at the most, since a Synapse that is down for longer is no reason to be down
too. Runs as the program's user; imports next to nothing, since Synapse starts beside.
"""

import os
import socket
import sys
import time

_RETRY_SECONDS = 0.2
_PATIENCE_SECONDS = 30
_ANSWER_SECONDS = 5


def build_command(address: str, file: str) -> tuple[str, ...]:
    """Return what goes before a program's own command; Synapse answers at the address."""
    return ("python", "-m", "appliance.launch.later", address, file)


def main() -> None:
    """Wait until Synapse answers, then become the program."""
    address, file, *command = sys.argv[1:]
    begin = time.monotonic()
    while not os.path.exists(file) and time.monotonic() < begin + _PATIENCE_SECONDS:  # noqa: PTH110
        if is_answered(address):
            break
        time.sleep(_RETRY_SECONDS)
    os.execvp(command[0], command)  # noqa: S606 - it becomes the program


def is_answered(address: str) -> bool:
    """Return whether Synapse is well, as nginx says at its door for programs of this machine."""
    host, _, port = address.rpartition(":")
    question = f"GET /health HTTP/1.0\r\nHost: {address}\r\n\r\n"
    try:
        with socket.create_connection((host, int(port)), _ANSWER_SECONDS) as connection:
            connection.sendall(question.encode())
            return b" 200 " in connection.recv(20)
    except OSError:
        return False


if __name__ == "__main__":
    main()
