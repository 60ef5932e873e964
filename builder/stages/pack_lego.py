"""Makes lego small: certbot-dns-multi's library without what debuggers want, compressed.

Usage: pack_lego.py SITE-PACKAGES MODULE, where MODULE is what imports as the library from then on.
Runs in a build stage.
"""

import lzma
import shutil
import subprocess
import sys
from pathlib import Path


def main() -> None:
    """Put the compressed library and the module that unpacks it where the library was."""
    site, module = map(Path, sys.argv[1:])
    (library,) = site.glob("lego_bridge.*.so")
    packed = library.with_name(f"{library.name}.xz")
    subprocess.run(["strip", str(library)], check=True)
    packed.write_bytes(lzma.compress(library.read_bytes()))
    library.unlink()
    shutil.copy(module, site)
    # The list of files, by which the inventory measures.
    (record,) = site.glob("certbot_dns_multi-*.dist-info/RECORD")
    lines = [
        line for line in record.read_text().splitlines() if not line.startswith(f"{library.name},")
    ]
    record.write_text("\n".join([*lines, f"{packed.name},,", f"{module.name},,", ""]))


if __name__ == "__main__":
    main()
