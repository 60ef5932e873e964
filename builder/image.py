"""Builds the image: registry, sources and base become one `docker build`, then a table."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from appliance import __version__
from appliance.bridges.catalogue import CATALOGUE, Bridge, find
from builder import report
from builder.base import ensure_base, find_mirror
from builder.docker import Docker
from builder.errors import BuildError
from builder.lock import find_lock
from builder.registry import (
    REGISTRY,
    Component,
    DebianComponent,
    GoComponent,
    PypiComponent,
    ReleaseComponent,
    load_registry,
)
from builder.sources import (
    ARTIFACTS,
    SOURCES,
    Selection,
    Sources,
    Status,
    artifact_name,
    list_go_proxies,
    read_goproxy,
)

TAG = "matrix-appliance"
# Values of the host that a step which downloads needs; Docker knows the proxies' by itself.
_PASSED_ON = ("PIP_INDEX_URL", "GONOSUMDB", "http_proxy", "https_proxy", "no_proxy")
_CERTIFICATES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


@dataclass(frozen=True)
class BuildResult:
    """The image, and what it holds of each component."""

    tag: str
    image_id: str
    components: tuple[report.Row, ...]
    size_bytes: int
    compressed_bytes: int


def build(
    *,
    client: Sequence[str],
    environment: Mapping[str, str],
    strict: bool = False,
    release: bool = False,
    components: Sequence[str] | None = None,
    tag: str = TAG,
    components_file: Path = REGISTRY,
    artifacts: Path = ARTIFACTS,
) -> BuildResult:
    """Build the image and print what it holds.

    `components` are the names to build of those that can be left out, None for the default ones.
    `strict` refuses to build without one of them, `release` also with an older version.
    Raise BuildError if the image cannot be built, or must not be.
    """
    docker = Docker(client, environment)
    registry = load_registry(components_file)
    chosen = choose(registry.components, components)
    sources = Sources(read_goproxy(environment), artifacts)
    selections = [sources.select(component) for component in chosen]
    refuse_gaps(selections, strict=strict, release=release)
    base = ensure_base(docker, registry.base, find_mirror(environment))
    keep_sources_folder()
    arguments = {
        "BASE": base,
        "DEBIAN_AS_OF": state_of_debian(datetime.now(UTC), release=release),
        **host_arguments(environment),
        **component_arguments(selections),
    }
    print(f"Building {tag} …", flush=True)
    docker.run(*build_command(arguments, environment, tag))
    result = inspect(docker, tag)
    report.print_table(result.components, result.size_bytes, result.compressed_bytes)
    for selection in selections:
        if selection.status is Status.MISSING:
            print(explain_gap(selection, artifacts))
    return result


def explain_gap(selection: Selection, artifacts: Path) -> str:
    """Return how the owner can have a missing component all the same."""
    component = selection.component
    file = artifacts / artifact_name(component, component.versions[0])
    return f"To have {component.name} in the image, get it elsewhere and put it at {file}."


def name_components(
    added: Sequence[str],
    left_out: Sequence[str],
    bridges: Sequence[str] | None = None,
    components_file: Path = REGISTRY,
) -> list[str]:
    """Return the names to build: the default ones with some more, without some others.

    `bridges` are those to have, by their names in `MATRIX_BRIDGES`; None for the default ones.
    """
    optional = [c for c in load_registry(components_file).components if is_optional(c)]
    check_names([*added, *left_out], optional)
    wanted = {component.name for component in optional if component.default}
    if bridges is not None:
        wanted -= {bridge.component for bridge in CATALOGUE}
        wanted |= {find_bridge(name).component for name in bridges}
    wanted = (wanted | {*added}) - {*left_out}
    return [component.name for component in optional if component.name in wanted]


def find_bridge(name: str) -> Bridge:
    """Return a bridge by its name. Raise BuildError if there is none."""
    try:
        return find(name)
    except KeyError:
        known = ", ".join(bridge.name for bridge in CATALOGUE)
        raise BuildError(f"{name}: not one of {known}") from None


def choose(components: Sequence[Component], names: Sequence[str] | None) -> list[Component]:
    """Return the components to build. Raise BuildError for a name that is none to choose."""
    optional = [component for component in components if is_optional(component)]
    if names is None:
        names = [component.name for component in optional if component.default]
    check_names(names, optional)
    return [c for c in components if c.name in names or not is_optional(c)]


def check_names(names: Sequence[str], optional: Sequence[Component]) -> None:
    """Raise BuildError for a name that is not of a component to choose."""
    known = [component.name for component in optional]
    if unknown := sorted(set(names) - set(known)):
        raise BuildError(f"{', '.join(unknown)}: not one of {', '.join(known)}")


def is_optional(component: Component) -> bool:
    """Return whether an image without the component is still one."""
    if isinstance(component, PypiComponent):
        return component.own_lock
    return isinstance(component, GoComponent | ReleaseComponent)


def refuse_gaps(selections: Sequence[Selection], *, strict: bool, release: bool) -> None:
    """Raise BuildError if a strict build would lack something, or a release be an older one."""
    refused = []
    for selection in selections:
        name = selection.component.name
        if selection.status is Status.MISSING and (strict or release):
            refused.append(f"{name} cannot be had: {selection.reason}")
        elif release and selection.version != selection.component.newest:
            newest = selection.component.newest
            refused.append(f"{name} is {selection.version}, not {newest}: {selection.reason}")
    if refused:
        raise BuildError("nothing was built:\n" + "\n".join(f"  {line}" for line in refused))


def state_of_debian(now: datetime, *, release: bool) -> str:
    """Return a text that changes when Debian's packages are to be fetched anew.

    Once a week, and for every release: fixes come without pinning, and most builds stay quick.
    """
    return now.isoformat() if release else now.strftime("%G-W%V")


def host_arguments(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what the steps that download must know of this host."""
    mirror = find_mirror(environment)
    given = {name: environment.get(name) or environment.get(name.upper()) for name in _PASSED_ON}
    arguments = {name: value for name, value in given.items() if value}
    # Only what was asked before: a refusal by every proxy is final.
    goproxy = ",".join(list_go_proxies(read_goproxy(environment))) or "direct"
    return {
        **arguments,
        "GOPROXY": goproxy,
        "DEBIAN_MIRROR": mirror.main,
        "DEBIAN_SECURITY_MIRROR": mirror.security,
    }


def component_arguments(selections: Sequence[Selection]) -> dict[str, str]:
    """Return what the Dockerfile's stages build."""
    arguments = {"COMPONENTS": json.dumps([describe(selection) for selection in selections])}
    debian = [s.component for s in selections if isinstance(s.component, DebianComponent)]
    arguments["DEBIAN_PACKAGES"] = " ".join(name for c in debian for name in c.packages)
    arguments["PYTHON_LOCKS"] = " ".join(
        find_lock(s.component).name
        for s in selections
        if isinstance(s.component, PypiComponent) and s.component.own_lock
    )
    programs = [
        describe_program(selection, selection.component)
        for selection in selections
        if isinstance(selection.component, GoComponent) and selection.version
    ]
    if programs:
        arguments |= {"GO": "go-programs", "GO_COMPONENTS": json.dumps(programs)}
    for selection in selections:
        if isinstance(selection.component, ReleaseComponent) and selection.archive:
            arguments |= {"WEB": "web-client", "WEB_ARCHIVE": str(SOURCES / selection.archive)}
    return arguments


def describe(selection: Selection) -> dict[str, Any]:
    """Return a component's row for the inventory."""
    component = selection.component
    row: dict[str, Any] = {
        "name": component.name,
        "kind": component.kind,
        "version": selection.version,
        "newest": component.newest,
        "status": selection.status,
        "reason": selection.reason,
        "licence": component.licence,
        "homepage": component.homepage,
        "source": component.source,
    }
    if isinstance(component, DebianComponent):
        row["packages"] = component.packages
    if isinstance(component, PypiComponent):
        row["package"] = component.package
    return row


def describe_program(selection: Selection, component: GoComponent) -> dict[str, Any]:
    """Return a row for the go stage."""
    assert selection.version  # one that is missing is not built  # noqa: S101
    version = component.find_version(selection.version)
    return {
        "name": component.name,
        "version": selection.version,
        "says": version.says or version.version,
        "archive": selection.archive,
        "pinned": version.pinned,
        "replaces": component.replaces,
        "example": component.example,
        "package": component.package,
        "tags": component.tags,
        "cgo": component.cgo,
        "version_variable": component.version_variable,
    }


def build_command(
    arguments: Mapping[str, str], environment: Mapping[str, str], tag: str
) -> list[str]:
    """Return the arguments of `docker build`."""
    command = ["build", "--network", "host", "--tag", tag]
    command += ["--label", f"org.opencontainers.image.version={__version__}"]
    for name, value in arguments.items():
        command += ["--build-arg", f"{name}={value}"]
    bundle = next((environment[name] for name in _CERTIFICATES if environment.get(name)), None)
    if bundle:
        command += ["--secret", f"id=ca,src={bundle}"]
    return [*command, "."]


def keep_sources_folder() -> None:
    """Make the folder that the Dockerfile mounts, although nothing may have been fetched."""
    SOURCES.mkdir(parents=True, exist_ok=True)
    (SOURCES / "README").write_text("Archives that builder/sources.py fetched and checked.\n")


def inspect(docker: Docker, tag: str) -> BuildResult:
    """Return what a built image holds, from the image itself."""
    image_id, size = docker.read("image", "inspect", tag, "--format", "{{.Id}} {{.Size}}").split()
    rows = report.read_rows(docker, tag)
    return BuildResult(tag, image_id, rows, int(size), report.measure_compressed(docker, tag))
