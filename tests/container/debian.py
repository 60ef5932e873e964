"""Images of Debian's own programs for tests, on the base of the appliance's image."""

import os
from collections.abc import Mapping
from pathlib import Path

from builder.base import ensure_base, find_mirror
from builder.engine import ensure_engine
from builder.image import build_command, host_arguments
from builder.registry import load_registry

_ARGUMENTS = ("DEBIAN_MIRROR", "DEBIAN_SECURITY_MIRROR", "http_proxy", "https_proxy", "no_proxy")


def build_image(folder: Path, name: str, more: Mapping[str, str] | None = None) -> str:
    """Build the image of a folder's Dockerfile, quick but the first time, and return its ID.

    `more` are arguments of its own. The name may be that of another checkout's by the time that it
    is used.
    """
    engine = ensure_engine(os.environ)
    base = ensure_base(engine.docker, load_registry().base, find_mirror(os.environ))
    values = host_arguments(os.environ)
    given = {one: values[one] for one in _ARGUMENTS if one in values}
    arguments = {"BASE": base, **given, **(more or {})}
    command = build_command(arguments, engine.environment, name)
    file = str(folder / "Dockerfile")
    return engine.docker.read(*command[:-1], "--quiet", "--file", file, command[-1])
