"""Debian's Postgres servers, each in a container of its own on a network of the tests'."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

import docker
from docker.models.containers import Container
from docker.models.networks import Network

from tests.container.appliances import until
from tests.container.debian import build_image

BOOKWORM = 15
TRIXIE = 17
# With everything that a URL, libpq's password file and a shell take for something else.
PASSWORD = r"p@ss:w/rd %\?#'" + secrets.token_hex(8)


class Server:
    """A server of somebody who runs more than a chat on it: `owner` may make roles and databases.

    Its own collation is not the one that Synapse wants, and nobody gets into the database `closed`.
    """

    def __init__(self, client: docker.DockerClient, network: Network, version: int) -> None:
        self.version, self.network = version, network
        self.host = f"postgres{version}.test"
        image = build_image(Path(__file__).parent, "matrix-appliance-postgres")
        self.container: Container = client.containers.create(image, [str(version), self.host])
        network.connect(self.container, aliases=[self.host, f"also-{self.host}"])

    def start(self) -> None:
        self.container.start()
        until(self._answers, f"Postgres {self.version} answers", within_seconds=90)

    def stop(self) -> None:
        """End it as its owner does."""
        self.container.stop(timeout=30)

    def make_role(self, name: str, rights: str = "") -> None:
        password = PASSWORD.replace("'", "''")
        self.query(f"CREATE ROLE {name} LOGIN {rights} PASSWORD '{password}'")

    def make_database(
        self, name: str, owner: str, encoding: str = "UTF8", locale: str = "C"
    ) -> None:
        self.query(
            f"CREATE DATABASE {name} OWNER {owner} TEMPLATE template0 ENCODING '{encoding}' "
            f"LC_COLLATE '{locale}' LC_CTYPE '{locale}'"
        )

    def query(self, command: str, database: str = "postgres") -> str:
        """Ask as the superuser, on its own machine."""
        result = self.container.exec_run(
            ["psql", "-XAtq", "-h", "/tmp", "-U", "postgres", "-c", command, database]
        )
        output = bytes(result.output).decode()
        assert result.exit_code == 0, f"{command}: {output}"
        return output.strip()

    def url(
        self, user: str, database: str = "", *, password: str = PASSWORD, host: str = ""
    ) -> str:
        """Return an address as an owner writes it."""
        return (
            f"postgresql://{user}:{quote(password, safe='')}@{host or self.host}:5432"
            f"{database and '/'}{database}"
        )

    @cached_property
    def certificate(self) -> bytes:
        """What its certificate is verified with."""
        return bytes(self.container.exec_run(["cat", "/srv/postgres/certificate.pem"]).output)

    def _answers(self) -> bool:
        command = ["pg_isready", "-q", "-h", "127.0.0.1"]
        return bool(self.container.exec_run(command).exit_code == 0)


@contextmanager
def serve(client: docker.DockerClient) -> Iterator[dict[int, Server]]:
    """Run a server of each version."""
    network = client.networks.create(f"appliance-test-{secrets.token_hex(6)}")
    servers: dict[int, Server] = {}
    try:
        for version in (BOOKWORM, TRIXIE):
            servers[version] = Server(client, network, version)
        for server in servers.values():
            server.start()
            server.make_role("owner", "CREATEROLE CREATEDB")
            server.query("CREATE DATABASE closed")
        yield servers
    finally:
        for server in servers.values():
            server.container.remove(force=True, v=True)
        network.remove()
