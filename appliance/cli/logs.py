"""`appliance logs`: what the programs said, from the bounded files that supervisor keeps of each.

`docker logs` has the same lines of all programs in the order they came.
"""

import os
import time
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import click

from appliance.cli.verb import Verb
from appliance.errors import NotRunningError, OperationError
from appliance.paths import LOGS

_POLL_SECONDS = 0.25


@click.command(cls=Verb, examples=["appliance logs synapse -n 200", "appliance logs -f"])
@click.argument("program", required=False)
@click.option("-f", "--follow", is_flag=True, help="Go on with what they say from now on.")
@click.option(
    "-n",
    "--lines",
    type=click.IntRange(min=0),
    default=50,
    metavar="N",
    help="How many of the last lines (50).",
)
def logs(program: str | None, follow: bool, lines: int) -> None:
    """Show what PROGRAM said last, or what every program did."""
    readers = [LogReader(path) for path in find_logs(Path(LOGS), program)]
    width = 0 if program else max(len(reader.name) for reader in readers)
    for reader in readers:
        for line in reader.read_last_lines(lines):
            _show(reader.name, line, width)
    if follow:
        for name, line in follow_logs(readers):
            _show(name, line, width)


def find_logs(directory: Path, program: str | None) -> list[Path]:
    """Return the file of a program, or of each. Raise OperationError if there is none."""
    try:
        paths = {path.stem: path for path in sorted(directory.iterdir()) if path.suffix == ".log"}
    except FileNotFoundError:
        raise NotRunningError from None
    if not paths:
        raise NotRunningError
    if program is None:
        return list(paths.values())
    if program not in paths:
        raise OperationError(f"{program} is not a program that runs here: {', '.join(paths)}")
    return [paths[program]]


class LogReader:
    """Reads one log from its beginning on, which supervisor renames when it is full."""

    def __init__(self, path: Path) -> None:
        self.name = path.stem
        self._path = path
        self._stream: BinaryIO = path.open("rb")
        self._unfinished = b""

    def read_last_lines(self, count: int) -> list[str]:
        """Return the last lines there are; to be called once, before `read_new_lines`."""
        before = self._path.with_name(self._path.name + ".1")
        last: deque[str] = deque(maxlen=count)
        if before.exists():
            last.extend(before.read_text(errors="replace").splitlines())
        last.extend(self.read_new_lines())
        return list(last)

    def read_new_lines(self) -> list[str]:
        """Return the whole lines that were added since the last call."""
        text = self._unfinished + self._stream.read()
        if self._was_rotated():
            text += self._stream.read()  # what came before it was renamed
            self._stream.close()
            self._stream = self._path.open("rb")
            text += self._stream.read()
        *lines, self._unfinished = text.split(b"\n")
        return [line.decode(errors="replace") for line in lines]

    def _was_rotated(self) -> bool:
        try:
            return self._path.stat().st_ino != os.fstat(self._stream.fileno()).st_ino
        except FileNotFoundError:  # between the renaming and the new file
            return False


def follow_logs(readers: Sequence[LogReader]) -> Iterator[tuple[str, str]]:
    """Yield each new line with its program's name, for ever."""
    while True:
        idle = True
        for reader in readers:
            for line in reader.read_new_lines():
                idle = False
                yield reader.name, line
        if idle:
            time.sleep(_POLL_SECONDS)


def _show(name: str, line: str, width: int) -> None:
    click.echo(f"{name:<{width}} | {line}" if width else line)


COMMANDS = (logs,)
