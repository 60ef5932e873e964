"""Writes what the image holds, how much of it, and under which licences; runs in a build stage.

Usage: take_inventory.py IMAGE OUT, where IMAGE has a folder for each of the stages root, python, go
and web, and the variable COMPONENTS the rows of builder/image.py as JSON.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

_FIELDS = ("name", "kind", "version", "newest", "status", "reason", "size_bytes")
_ABOUT = ("licence", "homepage", "source")
_SOURCES = """\
Sources of what is in this image. No component was changed; of some, parts that a server never
uses were left out. To everyone who uses this server the sources of those under the AGPL are
offered, from these addresses:

{addresses}

  any Debian package:      apt-get source PACKAGE=VERSION, or https://snapshot.debian.org/
  any Python distribution: https://pypi.org/project/NAME/VERSION/#files
  any Go module:           go mod download MODULE@VERSION

Every package with its version and licence is in /usr/share/appliance/licences.
"""
_LICENCE = re.compile(r"(^|/)(licen[cs]e|copying|notice|authors)[^/]*$", re.IGNORECASE)


@dataclass(frozen=True)
class Package:
    """A Debian package or a Python distribution as the image has it."""

    name: str
    version: str
    needs: frozenset[str]
    size_bytes: int
    licence_text: str


def read_debian_packages(root: Path) -> dict[str, Package]:
    """Return Debian's packages that are left in the root, by name and by what they provide."""
    query = "${Package}\\t${Version}\\t${Provides}\\t${Depends}, ${Pre-Depends}\\n"
    packages: dict[str, Package] = {}
    left = set(_query("${Package}\\n", f"--admindir={root}/var/lib/dpkg"))
    for line in _query(query):
        name, version, provides, depends = line.split("\t")
        if name not in left:
            continue
        needs = frozenset(re.findall(r"(?:^|[,|])\s*([a-z0-9][a-z0-9+.-]+)", depends))
        packages[name] = package = Package(
            name, version, needs, _measure_debian(root, name), _read_copyright(name)
        )
        for provided in re.findall(r"(?:^|,)\s*([a-z0-9][a-z0-9+.-]+)", provides):
            packages.setdefault(provided, package)
    return packages


def _query(template: str, *options: str) -> list[str]:
    command = ["dpkg-query", *options, "--show", f"--showformat={template}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


def _measure_debian(root: Path, name: str) -> int:
    listed = subprocess.run(["dpkg", "-L", name], capture_output=True, text=True, check=True).stdout
    return sum(_measure(root / path.lstrip("/")) for path in listed.splitlines())


def _read_copyright(name: str) -> str:
    file = Path("/usr/share/doc") / name / "copyright"
    return file.read_text(errors="replace") if file.is_file() else ""


def read_python_packages(environment: Path) -> dict[str, Package]:
    """Return the distributions in the virtualenv, by normalized name."""
    (site,) = environment.glob("lib/python3*/site-packages")
    found = distributions(path=[str(site)])
    packages = [_describe_distribution(distribution) for distribution in found]
    return {package.name: package for package in packages}


def _describe_distribution(distribution: Distribution) -> Package:
    needs = (
        re.split(r"[^A-Za-z0-9._-]", need, maxsplit=1)[0] for need in distribution.requires or ()
    )
    files = [Path(str(distribution.locate_file(file))) for file in distribution.files or ()]
    texts = [file for file in files if _LICENCE.search(str(file)) and file.suffix != ".py"]
    return Package(
        name=_normalize(distribution.name),
        version=distribution.version,
        needs=frozenset(map(_normalize, needs)),
        size_bytes=sum(_measure(file) + sum(map(_measure, _compiled(file))) for file in files),
        licence_text="\n\n".join(
            file.read_text(errors="replace") for file in texts if file.is_file()
        ),
    )


def _compiled(file: Path) -> Iterator[Path]:
    if file.suffix == ".py":
        yield from (file.parent / "__pycache__").glob(f"{file.stem}.cpython-*.pyc")


def _normalize(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _measure(file: Path) -> int:
    return file.lstat().st_size if file.is_file() and not file.is_symlink() else 0


def measure_tree(directory: Path) -> int:
    """Return the bytes of every file below, without following links."""
    return sum(map(_measure, directory.rglob("*")))


class Claims:
    """Shares packages out: each counts for the first component that needs it."""

    def __init__(self, packages: Mapping[str, Package]) -> None:
        self._packages = packages
        self._taken: set[str] = set()

    def claim(self, names: Iterable[str]) -> int:
        """Return the bytes of these packages and of all they need that nobody has claimed."""
        waiting, total = list(names), 0
        while waiting:
            package = self._packages.get(waiting.pop())
            if package is None or package.name in self._taken:
                continue
            self._taken.add(package.name)
            total += package.size_bytes
            waiting.extend(package.needs)
        return total

    def claim_rest(self) -> int:
        """Return the bytes of all that nobody has claimed."""
        return self.claim(list(self._packages))


def complete_row(
    row: Mapping[str, Any], debian: Mapping[str, Package], python: Mapping[str, Package]
) -> dict[str, Any]:
    """Return a component's row with the version that the image has."""
    version = row["version"]
    if row["kind"] == "debian":
        version = debian[row["packages"][0]].version
    elif row["kind"] == "pypi" and python[row["package"]].version != version:
        sys.exit(f"components/python.lock has {row['name']} {python[row['package']].version}")
    return {**row, "version": version, "source": row["source"].format(version=version)}


def measure_rows(
    rows: Iterable[dict[str, Any]],
    image: Path,
    debian: Mapping[str, Package],
    python: Mapping[str, Package],
) -> None:
    """Put the size into every row; the last of Debian's gets all that no other component needs."""
    of_debian, of_python = Claims(debian), Claims(python)
    measures: dict[str, Callable[[dict[str, Any]], int]] = {
        "debian": lambda row: of_debian.claim(row["packages"]),
        "pypi": lambda row: of_python.claim([row["package"]]),
        "go": lambda row: _measure(image / "go/usr/bin" / row["name"]),
        "release": lambda _: measure_tree(image / "web"),
    }
    last = None
    for row in rows:
        missing = row["status"] == "missing"
        row["size_bytes"] = 0 if missing else measures[row["kind"]](row)
        last = row if row["kind"] == "debian" else last
    if last is not None:
        last["size_bytes"] += of_debian.claim_rest()


def format_licence(
    row: Mapping[str, Any], debian: Mapping[str, Package], python: Mapping[str, Package]
) -> str:
    """Return the licence page of a component."""
    head = [
        f"{row['name']} {row['version'] or '(not in this image)'}",
        *(f"{key}: {row[key]}" for key in _ABOUT),
    ]
    texts = []
    if row["kind"] == "debian":
        texts = [debian[name].licence_text for name in row["packages"]]
    elif row["kind"] == "pypi":
        texts = [python[row["package"]].licence_text]
    return "\n\n".join(["\n".join(head), *filter(None, texts)]) + "\n"


def format_packages(packages: Iterable[Package]) -> str:
    """Return the licences of packages; those with the same text stand together."""
    by_text: dict[str, set[str]] = {}
    for package in packages:
        by_text.setdefault(package.licence_text, set()).add(f"{package.name} {package.version}")
    pages = [
        "\n".join(["=" * 80, *sorted(names), "=" * 80, text.strip() or "(no text of its own)"])
        for text, names in sorted(by_text.items(), key=lambda item: sorted(item[1]))
    ]
    return "\n\n".join(pages) + "\n"


def format_sources(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return how to get the sources of what is in the image."""
    addresses = "\n".join(
        f"  {row['name']} {row['version']}: {row['source']}"
        for row in rows
        if row["status"] != "missing"
    )
    return _SOURCES.format(addresses=addresses)


def main() -> None:
    """Take the inventory."""
    image, out = map(Path, sys.argv[1:])
    rows = json.loads(os.environ["COMPONENTS"])
    licences = out / "licences"
    licences.mkdir(parents=True)
    debian = read_debian_packages(image / "root")
    python = read_python_packages(image / "python")
    complete = [complete_row(row, debian, python) for row in rows]
    measure_rows(complete, image, debian, python)
    for row in complete:
        (licences / f"{row['name']}.txt").write_text(format_licence(row, debian, python))
    (licences / "debian-packages.txt").write_text(format_packages(debian.values()))
    (licences / "python-packages.txt").write_text(format_packages(python.values()))
    (licences / "SOURCES").write_text(format_sources(complete))
    listed = [{key: row[key] for key in (*_FIELDS, *_ABOUT)} for row in complete]
    (out / "components.json").write_text(json.dumps(listed, indent=2) + "\n")


if __name__ == "__main__":
    main()
