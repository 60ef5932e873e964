"""Issues a certificate of an authority that several servers share, so that they trust each other.

Usage: python -m appliance.certificates.issue DIRECTORY AREA NAME HOST…
Keeps the authority, good for names below AREA alone, in DIRECTORY, which its first certificate
makes; puts the certificate of HOST… below NAME there, and the bundle of what to trust beside it.
Prints the certificate of the authority. Knows nothing of this appliance's own certificate.
"""

import sys
import time
from pathlib import Path

from appliance.certificates.authority import ensure_certificate
from appliance.certificates.source import Source
from appliance.files import write_atomically

BUNDLE = "ca-certificates.crt"


def issue(directory: Path, area: str, name: str, hosts: tuple[str, ...]) -> str:
    """Have a certificate for these hosts, and return that of the authority (PEM)."""
    authority = directory / "authority/certificate.pem"
    source = Source(
        mode="files",
        domain=area,
        hosts=hosts,
        certificate=str(directory / name / "fullchain.pem"),
        key=str(directory / name / "privkey.pem"),
        services=(),
        lasting=False,
        authority=str(authority),
    )
    ensure_certificate(source, time.time())
    text = authority.read_text()
    write_atomically(directory / BUNDLE, text, mode=0o644, durable=True)
    return text


def main() -> None:
    """Do as the arguments say."""
    directory, area, name, *hosts = sys.argv[1:]
    sys.stdout.write(issue(Path(directory), area, name, tuple(hosts)))


if __name__ == "__main__":
    main()
