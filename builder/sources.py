"""Decides which version of every component is built, from what its source serves.

The rule is the design's: the first version that is to be had, in the registry's order. A refusal of
a version moves on to the next one; a source that fails stops the build, since an older version must
never come from a fault; a source that nobody here can reach leaves the component out, unless its
file lies under artifacts/.
"""

import hashlib
import os
import re
import shutil
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urlsplit

from builder.errors import BuildError
from builder.registry import Component, GoComponent, ReleaseComponent, Version

ARTIFACTS = Path("artifacts")
SOURCES = Path(".build/sources")
SERVED = Path(".build/served")
PINS = Path("components/go")
_TIMEOUT_SECONDS = 30
_NOT_ASKED = ("", "direct", "off")
# Source: https://go.dev/ref/mod#go-mod-file-replace
_REPLACEMENT = re.compile(r"=> (\S+) (\S+)$", re.MULTILINE)
_REFUSALS = (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.GONE)


class Status(StrEnum):
    """How a component gets into the image."""

    BUILT = "built"
    OLDER = "older"
    ARTIFACT = "artifact"
    MISSING = "missing"


@dataclass(frozen=True)
class Selection:
    """What is built of a component; `archive` is a file in SOURCES."""

    component: Component
    status: Status
    version: str | None
    reason: str = ""
    archive: str | None = None


class RefusedError(Exception):
    """The source does not serve this version."""


class UnreachableError(Exception):
    """The source cannot be reached from here."""


class Sources:
    """Where components come from: the network, and the folders of a checkout."""

    def __init__(
        self,
        goproxy: str,
        artifacts: Path = ARTIFACTS,
        sources: Path = SOURCES,
        served: Path = SERVED,
        pins: Path = PINS,
    ) -> None:
        self._goproxy = goproxy
        self._artifacts = artifacts
        self._sources = sources
        self._served = served
        self._pins = pins

    def select(self, component: Component) -> Selection:
        """Return the version to build. Raise BuildError if a source fails or a file is wrong."""
        if not isinstance(component, ReleaseComponent | GoComponent):
            return Selection(component, Status.BUILT, component.newest)
        reasons: list[str] = []
        reachable = True
        for version in component.versions:
            if artifact := self._take_artifact(component, version):
                return self._found(component, version, Status.ARTIFACT, reasons, artifact)
            if not reachable:
                continue
            try:
                archive = self._ask(component, version)
            except RefusedError as error:
                reasons.append(f"{version.version}: {error}")
            except UnreachableError as error:
                reasons.append(str(error))
                reachable = False
            else:
                return self._found(component, version, Status.BUILT, reasons, archive)
        return Selection(component, Status.MISSING, None, "; ".join(reasons))

    @staticmethod
    def _found(
        component: Component,
        version: Version,
        status: Status,
        reasons: list[str],
        archive: str | None,
    ) -> Selection:
        if version.version != component.newest and status is Status.BUILT:
            status = Status.OLDER
        return Selection(component, status, version.version, "; ".join(reasons), archive)

    def _take_artifact(self, component: Component, version: Version) -> str | None:
        """Put the owner's file where the build finds it; None if there is none."""
        name = artifact_name(component, version)
        file = self._artifacts / name
        if not file.is_file():
            return None
        if version.sha256:
            check_sum(file, version.sha256, f"{file} is not the {component.name} that is pinned")
        self._sources.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, self._sources / name)
        return name

    def _ask(self, component: ReleaseComponent | GoComponent, version: Version) -> str | None:
        """Return the archive of a version, or None where the build fetches it by itself."""
        if isinstance(component, ReleaseComponent):
            return self._download(component, version)
        # What was served here before is in the build's cache: without a network it is still built.
        known = self._served / artifact_name(component, version)
        try:
            ask_go_proxies(self._goproxy, component.module, version.version)
            for fork, its_version in self._list_forks(component, version):
                try:
                    ask_go_proxies(self._goproxy, fork, its_version)
                except RefusedError as error:
                    raise RefusedError(f"needs {fork}, and {error}") from error
        except UnreachableError:
            if not known.exists():
                raise
        else:
            known.parent.mkdir(parents=True, exist_ok=True)
            known.touch()
        return None

    def _list_forks(self, component: GoComponent, version: Version) -> Iterator[tuple[str, str]]:
        """Yield what a version wants in another module's place, by module and version.

        A source may serve the one and refuse the other: without its forks a version is none.
        """
        file = self._pins / component.name / version.version / "go.mod"
        if file.is_file():
            yield from _REPLACEMENT.findall(file.read_text())
        else:
            for replace in component.replaces:
                module, _, its_version = replace.partition("=")[2].partition("@")
                yield module, its_version

    def _download(self, component: ReleaseComponent, version: Version) -> str:
        """Fetch an archive, unless it is here already, and check it."""
        assert version.sha256  # the registry has seen to it  # noqa: S101
        name = artifact_name(component, version)
        target = self._sources / name
        if target.is_file() and digest(target) == version.sha256:
            return name
        address = component.url.format(version=version.version)
        print(f"Fetching {address} …", flush=True)
        self._sources.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f"{name}.{os.getpid()}.partial")
        try:
            fetch(address, partial)
            check_sum(partial, version.sha256, f"{address} is not what is pinned")
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
        return name


def artifact_name(component: Component, version: Version) -> str:
    """Return the name of the file under artifacts/ that stands for a version."""
    suffix = ".tar.gz" if isinstance(component, ReleaseComponent) else ""
    return f"{component.name}-{version.version}{suffix}"


def ask_go_proxies(goproxy: str, module: str, version: str) -> None:
    """Return if one of the proxies serves a module's version.

    `direct`, the module's own repository, is not asked: it counts as served where no proxy is
    named. Raise RefusedError, UnreachableError or BuildError if not. Source:
    https://go.dev/ref/mod#goproxy-protocol
    """
    proxies = list_go_proxies(goproxy)
    escaped = re.sub("[A-Z]", lambda letter: f"!{letter.group().lower()}", module)
    refused: RefusedError | None = None
    for proxy in proxies:
        try:
            fetch(f"{proxy}/{escaped}/@v/{version}.zip", None)
        except RefusedError as error:
            refused = error
        else:
            return
    if refused:
        raise refused


def list_go_proxies(goproxy: str) -> list[str]:
    """Return the addresses in a GOPROXY value."""
    entries = re.split("[,|]", goproxy)
    return [entry.strip().rstrip("/") for entry in entries if entry.strip() not in _NOT_ASKED]


def fetch(address: str, target: Path | None) -> None:
    """Write what an address serves into a file; without one only ask.

    Raise RefusedError for 403, 404 and 410, UnreachableError if there is no connection, and
    BuildError for anything else that is not the file.
    """
    try:
        with urllib.request.urlopen(address, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310
            if target is not None:
                with target.open("wb") as file:
                    shutil.copyfileobj(answer, file)
    except urllib.error.HTTPError as error:
        if error.code in _REFUSALS:
            raise RefusedError(f"its source answers {error.code} {error.reason}") from error
        raise BuildError(f"{address} answers {error.code} {error.reason}") from error
    except urllib.error.URLError as error:
        if isinstance(error.reason, ssl.SSLError):
            raise BuildError(f"{address}: {error.reason}; SSL_CERT_FILE names a bundle") from error
        host = urlsplit(address).hostname
        raise UnreachableError(f"{host} cannot be reached: {error.reason}") from error
    except (OSError, HTTPException) as error:
        raise BuildError(f"{address} broke off: {error}") from error


def check_sum(file: Path, expected: str, complaint: str) -> None:
    """Raise BuildError if a file is another than the pinned one."""
    found = digest(file)
    if found != expected:
        raise BuildError(f"{complaint}: SHA-256 {found} instead of {expected}")


def digest(file: Path) -> str:
    """Return the SHA-256 of a file."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def read_goproxy(environment: Mapping[str, str]) -> str:
    """Return the Go module proxies of this host."""
    return environment.get("GOPROXY") or "https://proxy.golang.org"
