"""Makes the fixture a bridge of the image: one more line of its table, and what a build adds to it.

Runs in the derived image alone.
"""

import compileall
import json
import py_compile
from pathlib import Path

_LINE = 'Bridge("fixture", "Fixture", "fixture-bridge", 49, "fixturebot", "!fixture"),'
_USER = "fixture:x:949:949:Bridge to the fixture:/nonexistent:/usr/sbin/nologin\n"
_GROUP = "fixture:x:949:\n"
_TABLE = "CATALOGUE = (\n"
_CATALOGUE = Path("/usr/share/appliance/python/appliance/bridges/catalogue.py")
_COMPONENTS = Path("/usr/share/appliance/components.json")
_PROGRAM = Path("/usr/bin/fixture-bridge")


def main() -> None:
    """Add the line, the user of the line's name, and the component that it names."""
    table = _CATALOGUE.read_text()
    assert table.count(_TABLE) == 1, table
    _CATALOGUE.write_text(table.replace(_TABLE, f"{_TABLE}    {_LINE}\n"))
    compileall.compile_file(
        _CATALOGUE,
        force=True,
        quiet=1,
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )
    for file, line in (("/etc/passwd", _USER), ("/etc/group", _GROUP)):
        with Path(file).open("a") as stream:
            stream.write(line)
    rows = json.loads(_COMPONENTS.read_text())
    like = next(row for row in rows if row["kind"] == "go")
    rows.append(
        {
            **like,
            "name": "fixture-bridge",
            "version": "v0.1.0",
            "newest": "v0.1.0",
            "status": "built",
            "reason": "",
            "size_bytes": _PROGRAM.stat().st_size,
        }
    )
    _COMPONENTS.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
