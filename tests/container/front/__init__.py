"""Debian's reverse proxies in front of an appliance, each with the printed snippet as it is.

They share the appliance's network, as on one machine with `--network host`.
"""

import io
import re
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import docker
import trustme
from docker.models.containers import Container

from .. import debian
from ..appliances import ProxiedAppliance, until

IMAGE = "matrix-appliance-front"
_CADDY_ROOT = "/root/.local/share/caddy/pki/authorities/local/root.crt"


@dataclass(frozen=True)
class Kind:
    """How an owner starts a proxy, and where the snippet belongs."""

    path: str
    command: str
    own_lines: str = ""
    """What the owner's configuration says besides the snippet."""


KINDS = {
    "nginx": Kind("/etc/nginx/sites-enabled/matrix.conf", "exec nginx -g 'daemon off;'"),
    "apache": Kind(
        "/etc/apache2/sites-enabled/matrix.conf",
        # The modules that the snippet asks for.
        "$(sed -n 's/.*\\(a2enmod .*\\) && .*/\\1/p' /etc/apache2/sites-enabled/matrix.conf)"
        " && exec apachectl -D FOREGROUND",
    ),
    "caddy": Kind(
        "/etc/caddy/Caddyfile",
        "exec caddy run --config /etc/caddy/Caddyfile",
        # An authority of its own, where the internet's cannot be asked.
        "{\n\tlocal_certs\n\tskip_install_trust\n}\n\n",
    ),
}


@dataclass(frozen=True)
class Front:
    """A proxy that runs, and whom its clients have to trust."""

    container: Container
    root_certificate: str


@contextmanager
def run(name: str, appliance: ProxiedAppliance, snippet: str) -> Iterator[Front]:
    """Run a proxy with a snippet, as long as the block lasts."""
    kind, authority = KINDS[name], trustme.CA()
    issued = authority.issue_cert("*.example.org", "example.org")
    live = "/etc/letsencrypt/live/example.org"
    files = {
        kind.path: (kind.own_lines + snippet).encode(),
        f"{live}/fullchain.pem": b"".join(one.bytes() for one in issued.cert_chain_pems),
        f"{live}/privkey.pem": issued.private_key_pem.bytes(),
    }
    client: docker.DockerClient = appliance.get_docker_client().client
    container = client.containers.create(
        debian.build_image(Path(__file__).parent, IMAGE),
        ["sh", "-euc", kind.command],
        network_mode=f"container:{appliance.get_wrapped_container().id}",
    )
    try:
        container.put_archive("/", _pack(files))
        container.start()
        until(lambda: _listens(container), f"{name} listens")
        root = authority.cert_pem.bytes().decode()
        if name == "caddy":
            root = _read(container, _CADDY_ROOT)
        yield Front(container, root)
    finally:
        container.remove(force=True, v=True)


def _listens(container: Container) -> bool:
    container.reload()
    assert container.status == "running", container.logs().decode()
    # Source: proc_net_tcp(5): listening at port 443.
    tables = _read(container, "/proc/net/tcp") + _read(container, "/proc/net/tcp6")
    return re.search(r":01BB 0+:0000 0A", tables) is not None


def _read(container: Container, path: str) -> str:
    status, output = container.exec_run(["cat", path])
    assert status == 0, output
    return str(output.decode())


def _pack(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for path, content in files.items():
            member = tarfile.TarInfo(path.lstrip("/"))
            member.size, member.mode = len(content), 0o644
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()
