"""Reads components/components.yaml into typed components; fetches and decides nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

import yaml

from builder.errors import BuildError

REGISTRY = Path("components/components.yaml")


class Kind(StrEnum):
    """Where a component comes from."""

    PYPI = "pypi"
    DEBIAN = "debian"
    RELEASE = "release"
    GO = "go"


@dataclass(frozen=True)
class Version:
    """A tested version: the checksum of its archive, or what the program's --version says.

    One that is not `pinned` has no module of ours: the build pins what the module itself names, and
    Go's checksum database vouches for it.
    """

    version: str
    sha256: str | None = None
    says: str | None = None
    pinned: bool = True


@dataclass(frozen=True, kw_only=True)
class Component:
    """What is the same for every kind."""

    name: str
    licence: str
    homepage: str
    source: str
    kind: Kind
    default: bool = True
    versions: tuple[Version, ...] = ()
    floor: str | None = None
    """The oldest version that will do where another than this build chooses it."""

    @property
    def newest(self) -> str | None:
        """The version that is wanted; None where it is only recorded."""
        return self.versions[0].version if self.versions else None

    def find_version(self, version: str) -> Version:
        """Return one of the versions by its name."""
        return next(found for found in self.versions if found.version == version)


@dataclass(frozen=True, kw_only=True)
class PypiComponent(Component):
    """A Python distribution; its one version is also in components/python.lock.

    One with its own lock (components/NAME.lock: what it needs beyond that) can be left out.
    """

    package: str
    extras: tuple[str, ...] = ()
    own_lock: bool = False
    kind: Kind = Kind.PYPI


@dataclass(frozen=True, kw_only=True)
class DebianComponent(Component):
    """Debian packages; the first one gives the version."""

    packages: tuple[str, ...]
    kind: Kind = Kind.DEBIAN


@dataclass(frozen=True, kw_only=True)
class ReleaseComponent(Component):
    """An archive at an address with `{version}` in it."""

    url: str
    kind: Kind = Kind.RELEASE


@dataclass(frozen=True, kw_only=True)
class GoComponent(Component):
    """A program built from a module; `version_variable` is what the linker sets, if it has to.

    `replaces` are `OLD=NEW@VERSION`, for versions that are not pinned. With `example` it writes an
    example of its configuration (-e), by which the appliance judges the owner's.
    """

    module: str
    package: str
    version_variable: str | None = None
    replaces: tuple[str, ...] = ()
    example: bool = False
    tags: tuple[str, ...] = ()
    cgo: bool = True
    kind: Kind = Kind.GO


_C = TypeVar("_C", bound=Component)


@dataclass(frozen=True)
class Base:
    """Debian: the image that a registry serves, and the suite to make the same from."""

    image: str
    suite: str


@dataclass(frozen=True)
class Registry:
    """All of components.yaml."""

    base: Base
    components: tuple[Component, ...]

    def of_kind(self, kind: type[_C]) -> list[_C]:
        """Return the components of one kind, in the file's order."""
        return [component for component in self.components if isinstance(component, kind)]


_CLASSES: Mapping[Kind, type[Component]] = {
    Kind.PYPI: PypiComponent,
    Kind.DEBIAN: DebianComponent,
    Kind.RELEASE: ReleaseComponent,
    Kind.GO: GoComponent,
}


def load_registry(path: Path = REGISTRY) -> Registry:
    """Read the components. Raise BuildError if one cannot be understood."""
    try:
        document = yaml.safe_load(path.read_text())
        rows = document["components"].items()
        return Registry(
            base=Base(**document["base"]),
            components=tuple(_parse_component(name, row) for name, row in rows),
        )
    except (OSError, yaml.YAMLError, TypeError, KeyError, AttributeError) as error:
        raise BuildError(f"{path}: {error}") from error
    except ValueError as error:
        raise BuildError(f"{path}: {error}") from error


def _parse_component(name: str, row: Mapping[str, Any]) -> Component:
    kind = Kind(row.get("kind", ""))
    component_class = _CLASSES[kind]
    known = {field.name for field in fields(component_class)} - {"name"}
    if unknown := row.keys() - known:
        raise ValueError(f"{name}: unknown {', '.join(sorted(unknown))} for kind {kind}")
    values: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in row.items()
    }
    versions = tuple(_parse_version(entry) for entry in row.get("versions", ()))
    component = component_class(**{**values, "name": name, "kind": kind, "versions": versions})
    _check_versions(component)
    return component


def _parse_version(entry: str | Mapping[str, Any]) -> Version:
    return Version(entry) if isinstance(entry, str) else Version(**entry)


def _check_versions(component: Component) -> None:
    if component.kind is Kind.DEBIAN:
        if component.versions:
            raise ValueError(f"{component.name}: Debian's versions are recorded, not chosen")
        return
    if not component.versions:
        raise ValueError(f"{component.name}: versions is empty")
    if component.kind is Kind.PYPI and len(component.versions) > 1:
        raise ValueError(f"{component.name}: components/python.lock has one version only")
    if component.kind is Kind.RELEASE and not all(v.sha256 for v in component.versions):
        raise ValueError(f"{component.name}: a version has no sha256")
