"""Runs the Docker client that the build was given; knows nothing of what is built."""

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO

from builder.errors import BuildError


@dataclass(frozen=True)
class Docker:
    """A client: the argv that starts it, and the environment to start it with."""

    client: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)

    def run(self, *arguments: str, stdin: IO[bytes] | None = None) -> None:
        """Run a command that shows its own progress. Raise BuildError if it fails."""
        command = [*self.client, *arguments]
        status = subprocess.run(command, env=self.environment, stdin=stdin, check=False).returncode
        if status:
            raise BuildError(f"docker {arguments[0]} ended with status {status}, see above")

    def read(self, *arguments: str) -> str:
        """Return what a command prints. Raise BuildError if it fails."""
        result = self._try(*arguments)
        if result.returncode:
            raise BuildError(f"docker {arguments[0]}: {result.stderr.strip()}")
        return result.stdout.strip()

    def succeeds(self, *arguments: str) -> bool:
        """Return whether a command ends with status 0."""
        return self._try(*arguments).returncode == 0

    def _try(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [*self.client, *arguments]
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=False
        )
