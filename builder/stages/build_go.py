"""Builds components in Go, each from the pins under go/NAME/VERSION; runs in the image's go stage.

The variable GO_COMPONENTS has the rows of builder/image.py as JSON.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

BUILD = Path("/build")
PROGRAMS = Path("/out/usr/bin")
EXAMPLES = Path("/out/usr/share/appliance/bridges")
LICENCES = Path("/out/usr/share/appliance/licences")
CERTIFICATES = Path("/run/secrets/ca")
_LICENCE_NAMES = ("LICENSE*", "LICENCE*", "COPYING*", "NOTICE*")


def build_program(row: Mapping[str, Any], environment: Mapping[str, str]) -> None:
    """Build one component, or take the program that was given in its place."""
    program = PROGRAMS / row["name"]
    if row["archive"]:
        shutil.copyfile(BUILD / "sources" / row["archive"], program)
        program.chmod(0o755)
    else:
        module = BUILD / "go" / row["name"] / row["version"]
        if not row["pinned"]:
            pin(module, row, environment)
        settings = {**environment, "CGO_ENABLED": str(int(row["cgo"]))}
        linker = "-s -w"
        if row["version_variable"]:
            linker += f" -X {row['version_variable']}={row['version']}"
        tags = ",".join(row["tags"])
        command = ("go", "build", "-trimpath", "-buildvcs=false", "-mod=readonly", f"-tags={tags}")
        _run((*command, f"-ldflags={linker}", "-o", program, row["package"]), module, settings)
        collect_licences(row["name"], row["package"], tags, module, settings)
    check_version(program, row["says"])
    if row["example"]:
        EXAMPLES.mkdir(exist_ok=True)
        _run((program, "-e", "-c", EXAMPLES / f"{row['name']}.yaml"), BUILD, environment)


def pin(module: Path, row: Mapping[str, Any], environment: Mapping[str, str]) -> None:
    """Pin all that a program is made of where no pins of ours are.

    Its own module names every version, and the checksum database (GOSUMDB) knows every sum.
    """
    module.mkdir(parents=True)
    wanted = f"{row['package']}@{row['version']}"
    _run(("go", "mod", "init", f"matrix-appliance.invalid/{row['name']}"), module, environment)
    for replace in row["replaces"]:
        _run(("go", "mod", "edit", f"-replace={replace}"), module, environment)
    _run(("go", "get", "-tool", wanted), module, environment)


def check_version(program: Path, expected: str) -> None:
    """Exit unless the program itself says that it is this version."""
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    if expected not in said.split():
        sys.exit(f"{program.name} --version should say {expected}, and says: {said.strip()}")


def collect_licences(
    name: str, package: str, tags: str, module: Path, environment: Mapping[str, str]
) -> None:
    """Write the licences of every module that the program is made of into one file."""
    listing = subprocess.run(
        [
            "go",
            "list",
            f"-tags={tags}",
            "-deps",
            "-f",
            "{{with .Module}}{{.Path}} {{.Version}} {{.Dir}}{{end}}",
            package,
        ],
        cwd=module,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    parts = []
    for line in sorted(set(listing.splitlines()) - {""}):
        path, version, directory = line.split(" ", 2)
        texts = [
            file.read_text(errors="replace")
            for pattern in _LICENCE_NAMES
            for file in sorted(Path(directory).glob(pattern))
            if file.is_file()
        ]
        parts.append("\n\n".join([f"==== {path} {version}", *texts]))
    (LICENCES / f"{name}.modules.txt").write_text("\n\n".join(parts))


def _run(command: Sequence[str | Path], directory: Path, environment: Mapping[str, str]) -> None:
    subprocess.run(command, cwd=directory, env=environment, check=True)


def main() -> None:
    """Build them all, giving way to whatever else this machine does."""
    os.nice(10)
    environment = {name: value for name, value in os.environ.items() if value}
    environment |= {"PATH": f"{find_toolchain()}:{environment['PATH']}", "GOTOOLCHAIN": "local"}
    if CERTIFICATES.exists():
        environment["SSL_CERT_FILE"] = str(CERTIFICATES)
    PROGRAMS.mkdir(parents=True)
    LICENCES.mkdir(parents=True)
    for row in json.loads(environment["GO_COMPONENTS"]):
        build_program(row, environment)


def find_toolchain() -> Path:
    """Return where Debian put the Go that was installed."""
    (directory,) = Path("/usr/lib").glob("go-*/bin")
    return directory


if __name__ == "__main__":
    main()
