"""The one place that runs a program and waits for it."""

import subprocess
from collections.abc import Mapping, Sequence

from appliance.errors import CommandError


def run(command: Sequence[str], *, environment: Mapping[str, str] | None = None) -> str:
    """Run a program to its end and return what it wrote, both streams together.

    Raise CommandError if its status is not zero.
    """
    result = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
        text=True,
        errors="replace",
        check=False,
    )
    if result.returncode:
        raise CommandError(command, result.returncode, result.stdout)
    return result.stdout
