"""The list of programs, paths, modules and users that an image must hold; starts nothing.

Both builds of the image run it: the Dockerfile before its last layer, the flake as a check.
"""

import importlib.util
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from appliance.bridges.catalogue import CATALOGUE, Framework
from appliance.bridges.own_settings import EXAMPLES
from appliance.machine import COMPONENTS_FILE, Component, read_components
from appliance.parts.element import STATIC
from appliance.parts.postgres import PSQL
from appliance.render import COMPILED, TEMPLATES

USERS_FILE = Path("/usr/lib/sysusers.d/matrix-appliance.conf")
_SHARE = "/usr/share/appliance"


@dataclass(frozen=True)
class Contents:
    """What one component brings; of one that the image lacks nothing is asked, if it may."""

    component: str
    programs: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    may_be_missing: bool = True


_OURS = Contents(
    "the appliance",
    programs=("appliance", "appliance-entrypoint"),
    paths=(
        *("/data", "/run", "/tmp", "/etc/passwd", "/etc/group"),  # noqa: S108 - of the image
        *(str(TEMPLATES), str(COMPILED), str(COMPONENTS_FILE), str(USERS_FILE)),
        *(f"{_SHARE}/api/stranger.json", f"{_SHARE}/landing/style.css"),
        f"{_SHARE}/licences/SOURCES",
    ),
    modules=("appliance", "click", "jinja2", "psycopg", "pydantic_settings", "segno", "yaml"),
)
COMPONENTS = (
    Contents(
        "debian",
        programs=("cp", "env", "setpriv", "sh", "sync", "tar", "true"),
        may_be_missing=False,
    ),
    Contents("python", programs=("python",), may_be_missing=False),
    Contents("supervisor", modules=("supervisor",), may_be_missing=False),
    Contents("synapse", modules=("synapse",), may_be_missing=False),
    Contents("psycopg2", modules=("psycopg2",), may_be_missing=False),
    Contents(
        "postgres",
        programs=("initdb", "postgres", "psql"),
        paths=(PSQL,),
        may_be_missing=False,
    ),
    Contents("nginx", programs=("nginx",), paths=("/etc/nginx/mime.types",), may_be_missing=False),
    Contents("coturn", programs=("turnserver",), may_be_missing=False),
    Contents("acme", modules=("acme",), may_be_missing=False),
    Contents("certbot", programs=("certbot",), modules=("certbot",), may_be_missing=False),
    Contents("certificates", paths=("/etc/ssl/certs/ca-certificates.crt",), may_be_missing=False),
    Contents("certbot-dns-cloudflare", modules=("certbot_dns_cloudflare",)),
    Contents("certbot-dns-multi", modules=("certbot_dns_multi",)),
    Contents("element-web", paths=(f"{STATIC}/index.html.gz",)),
    Contents("livekit", programs=("livekit",)),
    *(
        Contents(
            bridge.component,
            programs=(bridge.component,),
            paths=(f"{EXAMPLES}/{bridge.component}.yaml",),
        )
        for bridge in CATALOGUE
        if bridge.framework is Framework.MAUTRIX
    ),
    Contents("heisenbridge", modules=("heisenbridge",)),
    Contents("ffmpeg", programs=("ffmpeg",)),
)
USERS = (
    *("postgres", "synapse", "nginx", "turnserver", "livekit", "rtc", "agent"),
    *(bridge.name for bridge in CATALOGUE),
)


def find_gaps(root: Path, search_path: str) -> Iterator[str]:
    """Yield what an image lacks, each with whose it is.

    `root` is where its files are, `search_path` its PATH. Modules are those of this very Python.
    """
    directories = [str(root / entry.lstrip("/")) for entry in search_path.split(os.pathsep)]
    present = {
        component.name: component
        for component in read_components(_within(root, COMPONENTS_FILE))
        if component.present
    }
    for contents in (_OURS, *COMPONENTS):
        if contents is _OURS or contents.component in present:
            yield from _find_missing(contents, root, os.pathsep.join(directories))
        elif not contents.may_be_missing:
            yield f"{contents.component}: {COMPONENTS_FILE} has no such component in the image"
    yield from _find_strangers(present)
    yield from _find_wrong_users(root)


def _find_missing(contents: Contents, root: Path, search_path: str) -> Iterator[str]:
    for program in contents.programs:
        if shutil.which(program, path=search_path) is None:
            yield f"{contents.component}: no program {program}"
    for path in contents.paths:
        if not _within(root, path).exists():
            yield f"{contents.component}: no {path}"
    for module in contents.modules:
        if importlib.util.find_spec(module) is None:
            yield f"{contents.component}: no Python module {module}"


def _find_strangers(present: Mapping[str, Component]) -> Iterator[str]:
    """Yield components of which nobody says what they bring, or that only others use."""
    known = {contents.component for contents in COMPONENTS} | {"cloudflare", "jemalloc"}
    for name in sorted(present.keys() - known):
        yield f"{name}: appliance/selfcheck.py does not say what this component brings"


def _find_wrong_users(root: Path) -> Iterator[str]:
    declared = {
        name: (number, rest.split()[-1])
        for name, number, rest in _read_users(_within(root, USERS_FILE))
    }
    people = {line[0]: (line[2], line[3], line[5]) for line in _read_lines(root, "/etc/passwd")}
    groups = {line[0]: line[2] for line in _read_lines(root, "/etc/group")}
    for name in sorted({*USERS, *declared}):
        if name not in declared:
            yield f"user {name}: not in {USERS_FILE}"
            continue
        number, home = declared[name]
        if (found := people.get(name)) != (number, number, home):
            yield f"user {name}: must be {number} with the home {home}, and is {found}"
        if (group := groups.get(name)) != number:
            yield f"group {name}: must be {number}, and is {group}"


def _read_users(file: Path) -> Iterable[tuple[str, str, str]]:
    """Return name, number and the rest of each user. Source: sysusers.d(5)."""
    lines = file.read_text().splitlines() if file.exists() else []
    for line in lines:
        if line.startswith("u "):
            _, name, number, rest = line.split(maxsplit=3)
            yield name, number, rest


def _read_lines(root: Path, path: str) -> list[list[str]]:
    file = _within(root, path)
    return [line.split(":") for line in file.read_text().splitlines()] if file.exists() else []


def _within(root: Path, path: str | Path) -> Path:
    return root / str(path).lstrip("/")
