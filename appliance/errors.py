"""The errors the appliance raises on purpose; only `main` functions turn them into an exit status.

A `ConfigurationError` ends with status 2, an `OperationError` with status 1; anything else is a bug
and keeps its traceback.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

EXIT_FAILED = 1
EXIT_CONFIGURATION = 2


@dataclass(frozen=True, order=True)
class Problem:
    """One thing wrong with the configuration: the variable or file, and what to do about it."""

    subject: str
    message: str

    def __str__(self) -> str:
        return f"{self.subject}: {self.message}"


class ApplianceError(Exception):
    """Base of every error that is explained to the owner without a traceback."""


class ConfigurationError(ApplianceError):
    """The settings, the owner's files or the data do not allow a start."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(set(problems))
        super().__init__("\n".join(map(str, self.problems)))


class OperationError(ApplianceError):
    """Something asked for was tried and failed."""


class CommandError(OperationError):
    """A program that was run ended with a status other than zero."""

    def __init__(self, command: Sequence[str], status: int, output: str) -> None:
        self.status = status
        tail = "\n".join(output.splitlines()[-10:])
        super().__init__(f"{command[0]} ended with status {status}\n{tail}".rstrip())


class NotRunningError(OperationError):
    """There is no running server here to ask."""

    def __init__(self) -> None:
        super().__init__(
            "the server is not running in this container: run the command in the one that is "
            "(docker exec CONTAINER appliance …), or start it first"
        )
