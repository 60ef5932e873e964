"""A name server of somebody's own, on the internet of the tests: Debian's knot."""

import secrets
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from docker.models.containers import Container

from . import Internet
from .machine import archive

_CONFIGURATION = """
server:
    listen: 0.0.0.0@53
    rundir: /tmp
database:
    storage: /tmp
log:
  - target: stderr
    any: info
key:
  - id: {key}
    algorithm: hmac-sha256
    secret: {secret}
acl:
  - id: whoever-has-the-key
    key: {key}
    action: update
zone:
  - domain: {zone}
    storage: /tmp
    file: zone
    acl: whoever-has-the-key
"""
_ZONE = """
$ORIGIN {zone}.
@ 1 SOA ns root 1 60 60 60 1
@ 1 NS ns.world.test.
"""


@dataclass(frozen=True)
class NameServer:
    """A zone that takes updates (RFC 2136) from whoever has the key."""

    container: Container
    zone: str
    address: str
    key: str
    secret: str

    def said(self) -> str:
        """Return what it has logged."""
        return bytes(self.container.logs()).decode()


@contextmanager
def run_name_server(internet: Internet) -> Iterator[NameServer]:
    """Run one for a new zone as long as the block."""
    zone, key = f"{secrets.token_hex(4)}.example.net", "appliance"
    secret = b64encode(secrets.token_bytes(32)).decode()
    client = internet.container.client
    container = client.containers.create(
        internet.container.image,
        ["knotd", "-c", "/tmp/knot.conf"],
        network=internet.network.name,
    )
    try:
        files = {"/tmp/knot.conf": _CONFIGURATION, "/tmp/zone": _ZONE}
        values = {"zone": zone, "key": key, "secret": secret}
        container.put_archive(
            "/", archive({path: text.format(**values) for path, text in files.items()})
        )
        container.start()
        container.reload()
        address = container.attrs["NetworkSettings"]["Networks"][internet.network.name]["IPAddress"]
        internet.control("delegate_zone", name=zone, address=address)
        yield NameServer(container, zone, address, key, secret)
    finally:
        container.remove(force=True, v=True)
