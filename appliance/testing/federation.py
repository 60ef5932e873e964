"""Servers that find and trust each other, on a Docker network of their own.

Every one has a name there and a certificate of one authority, which all of them trust and nobody
else does: other servers are looked for and proved as on the internet.
"""

import uuid
from collections.abc import Sequence
from typing import Any, Self

from docker.errors import ContainerError
from testcontainers.core.docker_client import DockerClient
from testcontainers.core.labels import create_labels
from testcontainers.core.network import Network

from appliance.testing.relay import Relay
from appliance.testing.server import IMAGE, MatrixAppliance, MatrixApplianceError, free_port

DOMAIN = "federation.test"
# Where OpenSSL, and so every program of the image, looks for the authorities to trust.
_TRUST = "/etc/ssl/certs"
# The same folder to whom fills it.
_ISSUED = "/issued"
# The network of the servers is a private one: only a server itself and its host are denied.
_DENIED_RANGES = "127.0.0.0/8,169.254.0.0/16,::1/128,fe80::/10"


class FederatedAppliance(MatrixAppliance):
    """A server of a federation. Clients reach it by plain HTTP, servers by HTTPS."""

    # Each question costs a handshake, on a machine that is busy starting it.
    _retry_seconds = 0.2

    def __init__(self, federation: "MatrixFederation", name: str, **kwargs: Any) -> None:
        self._federation = federation
        self._relay = Relay()
        super().__init__(federation.image, port=self._relay.port, **kwargs)
        self.domain = f"{name}.{DOMAIN}"
        self._https_port = free_port()
        self.ports.clear()
        self.publish(443, self._https_port)
        self.with_volume_mapping(federation.volume, _TRUST, "ro")
        self.with_network(federation.network).with_network_aliases(*self._hosts)
        self.with_variables(
            MATRIX_DOMAIN=self.domain,
            MATRIX_HTTP_PORT="",
            MATRIX_TLS_MODE="files",
            MATRIX_TLS_CERTIFICATE_PATH=f"{_TRUST}/{self.domain}/fullchain.pem",
            MATRIX_TLS_KEY_PATH=f"{_TRUST}/{self.domain}/privkey.pem",
            MATRIX_FEDERATION="on",
            MATRIX_TRUSTED_KEY_SERVERS="none",
            MATRIX_DENIED_RANGES=_DENIED_RANGES,
            MATRIX_PUBLIC_IP="none",
            MATRIX_TURN="no",
            MATRIX_BRIDGES="none",
        )

    @property
    def _hosts(self) -> tuple[str, ...]:
        return (f"matrix.{self.domain}", f"chat.{self.domain}", self.domain)

    def start(self) -> Self:
        """Start it with a certificate of the federation's authority and wait until it is healthy.

        Raise MatrixApplianceError if it ends before.
        """
        authority = self._federation.issue_certificate(self.domain, self._hosts)
        self._relay.start(self._https_port, self._hosts[0], authority)
        return super().start()

    def stop(self, force: bool = True, delete_volume: bool = True) -> None:
        """End it, and what was passed on to it."""
        self._relay.close()
        super().stop(force, delete_volume)


class MatrixFederation:
    """A network of servers that talk to each other, for as long as the `with` block.

    with MatrixFederation() as federation:
        with federation.server("one") as one, federation.server("two") as two:
            alice, bob = one.create_user("alice"), two.create_user("bob")
    """

    def __init__(self, image: str = IMAGE) -> None:
        self.image = image
        self.network = Network()
        self.volume = f"matrix-federation-{uuid.uuid4().hex[:12]}"
        self._client = DockerClient().client

    def __enter__(self) -> Self:
        self.network.create()
        # As testcontainers marks its own, for whoever clears up after a test run that was killed.
        self._client.volumes.create(self.volume, labels=create_labels(self.image, {}))
        return self

    def __exit__(self, *failure: object) -> None:
        self.network.remove()
        self._client.volumes.get(self.volume).remove()
        self._client.close()

    def server(self, name: str, **kwargs: Any) -> FederatedAppliance:
        """Return a server to start; users of `one` are `@alice:matrix.one.federation.test`.

        More arguments are Docker's.
        """
        return FederatedAppliance(self, name, **kwargs)

    def issue_certificate(self, domain: str, hosts: Sequence[str]) -> str:
        """Put a certificate where a server finds it and return that of the authority.

        Raise MatrixApplianceError if the image makes none.
        """
        try:
            output = self._client.containers.run(
                self.image,
                ["-m", "appliance.certificates.issue", _ISSUED, DOMAIN, domain, *hosts],
                entrypoint="python",
                network_mode="none",
                volumes={self.volume: {"bind": _ISSUED, "mode": "rw"}},
                remove=True,
            )
        except ContainerError as error:
            raise MatrixApplianceError(f"{self.image} issues no certificate: {error}") from error
        return bytes(output).decode()
