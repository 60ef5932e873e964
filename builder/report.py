"""What was built, as a table: every component, its version, its size, what is missing and why."""

import json
import os
import sys
import tarfile
import tempfile
import zlib
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from pathlib import Path

from builder.docker import Docker

COMPONENTS = "/usr/share/appliance/components.json"
_COMPRESSED = Path(".build/compressed.json")
_CHUNK = 1 << 20
_COLOURS = {"missing": "31", "older": "33"}
_HEADER = ("COMPONENT", "VERSION", "SIZE", "")


@dataclass(frozen=True)
class Row:
    """One component as the image holds it."""

    name: str
    kind: str
    version: str | None
    newest: str | None
    status: str
    reason: str
    size_bytes: int


def read_rows(docker: Docker, image: str) -> tuple[Row, ...]:
    """Return the components of an image from the list inside it."""
    document = docker.read(
        "run", "--rm", "--network", "none", "--entrypoint", "cat", image, COMPONENTS
    )
    names = [field.name for field in fields(Row)]
    return tuple(Row(**{name: row[name] for name in names}) for row in json.loads(document))


def print_table(rows: Sequence[Row], size_bytes: int, compressed_bytes: int) -> None:
    """Print the table, in colours where somebody looks at it."""
    print(format_table(rows, size_bytes, compressed_bytes, colours=wants_colours()))


def wants_colours() -> bool:
    """Return whether colours are wanted (https://no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def format_table(
    rows: Sequence[Row], size_bytes: int, compressed_bytes: int, *, colours: bool
) -> str:
    """Return the table."""
    rest = size_bytes - sum(row.size_bytes for row in rows)
    cells = [_HEADER, *map(_format_row, rows)]
    cells.append(("the appliance, shared", "", format_size(rest), ""))
    cells.append(("total", "", format_size(size_bytes), f"{format_size(compressed_bytes)} gzipped"))
    widths = [max(len(row[column]) for row in cells) for column in range(3)]
    lines = [
        f"{name:<{widths[0]}}  {version:<{widths[1]}}  {size:>{widths[2]}}  {note}".rstrip()
        for name, version, size, note in cells
    ]
    if colours:
        for index, row in enumerate(rows, start=1):
            if colour := _COLOURS.get(row.status):
                lines[index] = f"\x1b[{colour}m{lines[index]}\x1b[0m"
    return "\n".join(["", *lines])


def _format_row(row: Row) -> tuple[str, str, str, str]:
    notes = {
        "missing": f"MISSING: {row.reason}",
        "older": f"OLDER than {row.newest}: {row.reason}",
        "artifact": "from artifacts/",
    }
    return (
        row.name,
        row.version or "-",
        format_size(row.size_bytes) if row.size_bytes else "-",
        notes.get(row.status, ""),
    )


def format_size(size_bytes: int) -> str:
    """Return a size in megabytes, as registries count them."""
    return f"{size_bytes / 1e6:.1f} MB"


def measure_compressed(docker: Docker, image: str) -> int:
    """Return the bytes of an image's layers as a registry keeps them.

    Measured once for each layer; most of them are old ones.
    """
    layers = json.loads(
        docker.read("image", "inspect", image, "--format", "{{json .RootFS.Layers}}")
    )
    known = _read_known()
    if new := [layer for layer in layers if layer not in known]:
        known |= _measure_layers(docker, image, layers, new)
        _COMPRESSED.parent.mkdir(exist_ok=True)
        _COMPRESSED.write_text(json.dumps(known, indent=2))
    return sum(known[layer] for layer in layers)


def _read_known() -> dict[str, int]:
    try:
        known: dict[str, int] = json.loads(_COMPRESSED.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return known


def _measure_layers(
    docker: Docker, image: str, layers: Sequence[str], wanted: Iterable[str]
) -> dict[str, int]:
    with tempfile.TemporaryDirectory(dir=".build") as directory:
        archive = Path(directory) / "image.tar"
        docker.read("save", "--output", str(archive), image)
        with tarfile.open(archive) as image_file:
            manifest = image_file.extractfile("manifest.json")
            assert manifest is not None  # noqa: S101 - every saved image has one
            names = dict(zip(layers, json.load(manifest)[0]["Layers"], strict=True))
            places = {layer: image_file.getmember(names[layer]) for layer in wanted}
        with ThreadPoolExecutor() as executor:
            sizes = executor.map(
                lambda place: _compress(archive, place.offset_data, place.size), places.values()
            )
            return dict(zip(places, sizes, strict=True))


def _compress(archive: Path, offset: int, size: int) -> int:
    compressor = zlib.compressobj(wbits=31)
    total = 0
    with archive.open("rb") as file:
        file.seek(offset)
        while size:
            chunk = file.read(min(_CHUNK, size))
            size -= len(chunk)
            total += len(compressor.compress(chunk))
    return total + len(compressor.flush())
