"""Files the appliance makes: described as data by the parts, written by `apply` alone.

`apply` is the only writer of configuration. It does not decide what a file holds.
"""

import contextlib
import grp
import os
import pwd
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from appliance.errors import OperationError


@dataclass(frozen=True)
class Directory:
    """A directory. One that is `fresh` is emptied at every boot: what it holds is of this run.

    `whole_tree`: found with another owner (a backup put back by hand), all below is given back.
    """

    path: str
    owner: str = "root"
    group: str = "root"
    mode: int = 0o755
    fresh: bool = False
    whole_tree: bool = False


@dataclass(frozen=True)
class File:
    """A file with its whole content. A `secret` one is never shown by `appliance render`."""

    path: str
    content: str
    owner: str = "root"
    group: str = "root"
    mode: int = 0o644
    secret: bool = False


Entry = Directory | File


def apply(entries: Iterable[Entry]) -> list[str]:
    """Make every entry so, each atomically; return the paths that changed.

    A file with the right content, owner and mode is left untouched. Raise OperationError naming
    the path that could not be written.
    """
    changed = []
    for entry in entries:
        try:
            make = _make_directory if isinstance(entry, Directory) else _write_file
            if make(entry):  # type: ignore[arg-type]
                changed.append(entry.path)
        except OSError as error:
            raise OperationError(f"{entry.path}: cannot be written: {error.strerror}") from error
    return changed


def write_atomically(
    path: Path, content: str, *, mode: int, owner: int = 0, group: int = 0, durable: bool = False
) -> None:
    """Replace a file in one step: whoever reads it sees the old or the new one whole.

    `durable`: on disk before this returns (for what cannot be made again). A write that was cut off
    leaves at most `.NAME.new`, which the next one replaces. Raise OperationError naming the file.
    """
    temporary = path.with_name(f".{path.name}.new")
    try:
        temporary.unlink(missing_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            stream.write(content)
            os.fchown(stream.fileno(), owner, group)
            os.fchmod(stream.fileno(), mode)
            if durable:
                stream.flush()
                os.fsync(stream.fileno())
        temporary.replace(path)
        if durable:
            sync_directory(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise OperationError(f"{path}: cannot be written: {error.strerror}") from error


def make_private_directory(path: Path) -> None:
    """Make a directory that only its owner may look into. Raise OperationError naming it."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.chmod(0o700)
    except OSError as error:
        raise OperationError(f"{path}: cannot be made: {error.strerror}") from error


def sync_directory(path: Path) -> None:
    """Make the names in a directory durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _make_directory(entry: Directory) -> bool:
    path = Path(entry.path)
    existed = path.is_dir()
    if not existed:
        path.mkdir(parents=True)
    elif entry.fresh:
        for child in path.iterdir():
            if child.is_dir() and not child.is_symlink():
                shutil.rmtree(child)
            else:
                child.unlink()
    if existed and entry.whole_tree and path.stat().st_uid != _ids(entry)[0]:
        owner, group = _ids(entry)
        for below in path.rglob("*"):
            os.chown(below, owner, group, follow_symlinks=False)
    return _own(path, entry) or not existed


def _write_file(entry: File) -> bool:
    path = Path(entry.path)
    with contextlib.suppress(FileNotFoundError, UnicodeDecodeError):
        if not path.is_symlink() and path.read_text() == entry.content:
            return _own(path, entry)
    owner, group = _ids(entry)
    write_atomically(path, entry.content, mode=entry.mode, owner=owner, group=group)
    return True


def _own(path: Path, entry: Entry) -> bool:
    """Set owner and mode where they differ (umask cuts `mkdir`'s); return whether they did."""
    status = path.stat()
    owner, group = _ids(entry)
    changed = False
    if (status.st_uid, status.st_gid) != (owner, group):
        os.chown(path, owner, group)
        changed = True
    if changed or status.st_mode & 0o7777 != entry.mode:
        path.chmod(entry.mode)
        changed = True
    return changed


def _ids(entry: Entry) -> tuple[int, int]:
    return pwd.getpwnam(entry.owner).pw_uid, grp.getgrnam(entry.group).gr_gid
