"""Writes what the image is made of for other programs to read; runs after take_inventory.py.

Usage: write_sbom.py IMAGE OUT, as take_inventory.py, whose components.json is in OUT. The format is
CycloneDX 1.5 in JSON. Neither a time nor a number of its own is in it: the same image has the same.
"""

import json
import re
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import distributions
from pathlib import Path
from typing import Any
from urllib.parse import quote

FILE = "sbom.cdx.json"
# What stands around the list of modules in every program that Go has made.
# Source: runtime/debug and cmd/go/internal/modload (ModInfoData) in Go's source.
_MODULES = re.compile(
    rb"\x30\x77\xaf\x0c\x92\x74\x08\x02\x41\xe1\xc1\x07\xe6\xd6\x18\xe6(.*?)"
    rb"\xf9\x32\x43\x31\x86\x18\x20\x72\x00\x82\x42\x10\x41\x16\xd8\xf2",
    re.DOTALL,
)


def list_components(rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the components of components.yaml that are in the image."""
    for row in rows:
        if row["status"] == "missing":
            continue
        yield {
            "type": "application",
            "bom-ref": f"component:{row['name']}",
            "name": row["name"],
            "version": row["version"],
            "licenses": [{"license": {"name": row["licence"]}}],
            "externalReferences": [
                {"type": "website", "url": row["homepage"]},
                {"type": "distribution", "url": row["source"]},
            ],
        }


def list_debian(status: str) -> Iterator[dict[str, Any]]:
    """Given dpkg's list of what is installed, yield its packages."""
    for paragraph in status.split("\n\n"):
        fields = dict(
            re.findall(r"^(Package|Version|Architecture): (.*)$", paragraph, re.MULTILINE)
        )
        if fields:
            name, version = fields["Package"], fields["Version"]
            where = f"pkg:deb/debian/{name}@{quote(version)}"
            yield library(name, version, f"{where}?arch={fields['Architecture']}&distro=trixie")


def list_python(environment: Path) -> Iterator[dict[str, Any]]:
    """Yield the distributions of a virtualenv."""
    for site in environment.glob("lib/python3*/site-packages"):
        for one in distributions(path=[str(site)]):
            name = re.sub(r"[-_.]+", "-", one.name).lower()
            yield library(name, one.version, f"pkg:pypi/{name}@{quote(one.version)}")


def list_go(program: bytes) -> Iterator[dict[str, Any]]:
    """Given a program that Go has made, yield the modules that it says it was made of.

    A module that another one replaces is that other one.
    """
    found = _MODULES.search(program)
    lines = found[1].decode().splitlines() if found else []
    modules: list[tuple[str, str]] = []
    for line in lines:
        kind, *words = line.split("\t")
        if kind == "=>":
            modules[-1] = (words[0], words[1])
        elif kind in ("mod", "dep"):
            modules.append((words[0], words[1]))
    for name, version in modules:
        if version and version != "(devel)":  # the latter is our own module around it
            where = quote(name, safe="/")
            yield library(name, version, f"pkg:golang/{where}@{quote(version, safe='')}")


def library(name: str, version: str, url: str) -> dict[str, Any]:
    """Return an entry, known by its package URL."""
    return {"type": "library", "bom-ref": url, "name": name, "version": version, "purl": url}


def compose(entries: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Return the document, each entry once and in an order of its own."""
    by_name = {entry["bom-ref"]: entry for entry in entries}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": {"type": "container", "name": "matrix-appliance"}},
        "components": [by_name[name] for name in sorted(by_name)],
    }


def main() -> None:
    """Write it."""
    image, out = map(Path, sys.argv[1:])
    programs = sorted(image.glob("go/usr/bin/*"))
    document = compose(
        [
            *list_components(json.loads((out / "components.json").read_text())),
            *list_debian((image / "root/var/lib/dpkg/status").read_text()),
            *list_python(image / "python"),
            *(entry for program in programs for entry in list_go(program.read_bytes())),
        ]
    )
    (out / FILE).write_text(json.dumps(document, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
