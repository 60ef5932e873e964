"""The machine that the internet of the tests runs on: its image, its network, its container."""

import io
import secrets
import tarfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from ipaddress import ip_network
from pathlib import Path

import docker
from docker.errors import APIError
from docker.models.containers import Container
from docker.models.networks import Network
from docker.types import IPAMConfig, IPAMPool

from .. import debian

IMAGE = "matrix-appliance-internet"
_FOLDER = Path(__file__).parent
_CONTROL_PORT = 8000
# Addresses that no machine has any more, and that are not private: so servers on this network have
# a public address each. Source: RFC 7526, which withdrew them.
POOL = ip_network("192.88.99.0/24")
_PREFIX_LENGTH = 27


def build_image() -> str:
    """Build the image, which is quick but the first time, and return its ID."""
    return debian.build_image(_FOLDER, IMAGE)


@contextmanager
def make_network(client: docker.DockerClient) -> Iterator[Network]:
    """Make a network of public addresses that ends with the block."""
    network = _create_network(client)
    try:
        yield network
    finally:
        network.remove()


def _create_network(client: docker.DockerClient) -> Network:
    # Others on this machine may have some: a free one is found by asking for each.
    subnets = list(POOL.subnets(new_prefix=_PREFIX_LENGTH))
    secrets.SystemRandom().shuffle(subnets)
    for subnet in subnets:
        pool = IPAMPool(subnet=str(subnet))
        try:
            return client.networks.create(
                f"appliance-test-{uuid.uuid4().hex[:12]}",
                driver="bridge",
                ipam=IPAMConfig(pool_configs=[pool]),
            )
        except APIError as error:
            if "overlap" not in str(error):
                raise
    raise AssertionError(f"every network in {POOL} is taken: see `docker network ls`")


@contextmanager
def run_world(
    client: docker.DockerClient, network: Network, certificate: str
) -> Iterator[Container]:
    """Run the world on a network, its hosts with a certificate (PEM, with the key)."""
    container = client.containers.create(
        build_image(), network=network.name, ports={_CONTROL_PORT: ("127.0.0.1", None)}
    )
    try:
        container.put_archive("/", archive({"/tmp/certificate.pem": certificate}))
        container.start()
        yield container
    finally:
        container.remove(force=True, v=True)


def archive(files: Mapping[str, str]) -> bytes:
    """Return an archive of files by their absolute paths, for nobody but root to read."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as made:
        for path, text in files.items():
            member, content = tarfile.TarInfo(path.lstrip("/")), text.encode()
            member.size, member.mode = len(content), 0o600
            made.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def control_address(container: Container) -> str:
    """Return where the container's control is reached from this machine."""
    container.reload()
    (published,) = container.ports[f"{_CONTROL_PORT}/tcp"]
    return f"127.0.0.1:{published['HostPort']}"
