"""`/data/appliance.json`: whose data this is, and which layout it has.

The server name is fixed by it for ever; an older image refuses a newer layout.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from appliance import __version__
from appliance.errors import Problem
from appliance.files import write_atomically
from appliance.settings import Settings

DATA = Path("/data")
LAYOUT = 1


@dataclass(frozen=True)
class Identity:
    """What the first boot fixed, and the image that wrote last."""

    server_name: str
    layout: int
    image: str


def read_identity(data: Path = DATA) -> Identity | None:
    """Return the identity of the data, None before the first boot has ended.

    Raise ValueError if the file is damaged.
    """
    path = data / "appliance.json"
    if not path.exists():
        return None
    try:
        return Identity(**json.loads(path.read_text()))
    except (TypeError, json.JSONDecodeError) as error:
        raise ValueError(f"is damaged ({error}): restore it from a backup") from error


def problems(settings: Settings, lock: int | None = None, data: Path = DATA) -> Iterator[Problem]:
    """Yield what forbids these settings to use this data; take hold of it if there is a lock."""
    if not data.is_dir():
        yield Problem(str(data), "does not exist: mount a volume there (-v matrix:/data)")
        return
    if os.statvfs(data).f_flag & os.ST_RDONLY:
        yield Problem(str(data), "is read-only: everything that must survive is written there")
    if lock is not None and (refusal := _take_hold(lock)):
        yield Problem(str(data), refusal)
        return
    path = data / "appliance.json"
    try:
        identity = read_identity(data)
    except ValueError as error:
        yield Problem(str(path), str(error))
        return
    if identity is None:
        return
    if identity.layout > LAYOUT:
        yield Problem(
            str(path),
            f"was written by the newer image {identity.image}; this one is {__version__} and could "
            "damage the data: use that image or a newer one",
        )
    if identity.server_name != settings.server_name:
        yield Problem(
            "MATRIX_SERVER_NAME",
            f"is {settings.server_name} now, but this data belongs to {identity.server_name}: the "
            "name is in every user ID and every room and cannot change. Set MATRIX_DOMAIN and "
            f"MATRIX_SERVER_NAME back to what gives {identity.server_name}, or start with an "
            "empty volume",
        )


def _take_hold(lock: int) -> str | None:
    """Lock the data for as long as any process has the descriptor; return why not, if not.

    Source: flock(2).
    """
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return (
            "is in use by another container that runs: two on one volume would destroy it. Stop "
            "the other one first"
        )
    except OSError as error:
        return f"cannot be locked ({error.strerror}): put it on a local file system"
    return None


def claim(settings: Settings, data: Path = DATA) -> None:
    """Write down whose data this is, if not written yet or by another image."""
    identity = Identity(settings.server_name, LAYOUT, __version__)
    if read_identity(data) != identity:
        text = json.dumps(asdict(identity), indent=2) + "\n"
        write_atomically(data / "appliance.json", text, mode=0o644, durable=True)
