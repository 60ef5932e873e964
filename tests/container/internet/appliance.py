"""An appliance on the internet of the tests: with a domain, three variables and nothing else."""

import socket
import ssl
from functools import cached_property
from typing import Any

from cryptography import x509

from appliance.testing import free_port

from ..appliances import LanAppliance, until
from ..http_client import Site
from . import Authority, Domain, Internet, variables

TRUST = "/internet-root.pem"
"""Where the container finds the root of the internet's own certificates."""


class InternetAppliance(LanAppliance):
    """A server at a domain of its own; its certificate comes some seconds after it."""

    def __init__(
        self,
        internet: Internet,
        domain: Domain | None = None,
        authority: Authority | None = None,
        **options: Any,
    ) -> None:
        super().__init__(dns=[internet.address], **options)
        self._kwargs["network"] = internet.network.name
        self.internet = internet
        self._seen_as: str | None = None
        self.domain = domain or internet.new_domain()
        self.DOMAIN = self.domain.name
        self.authority = authority or internet.lets_encrypt
        self.federation_port = free_port()
        self.publish(8448, self.federation_port)
        self.with_volume_mapping(internet.trust, TRUST, "ro")
        self.with_variables(
            MATRIX_TLS_MODE="",
            MATRIX_ACME_CA_BUNDLE=TRUST,
            MATRIX_FEDERATION="",
            MATRIX_ACME_PROPAGATION="0s",  # the world sees a record as soon as it is written
            **variables(self.domain),
        )

    @property
    def ca_certificate(self) -> str:
        return self.authority.root

    @cached_property
    def address(self) -> str:
        """Its public address."""
        container = self.get_wrapped_container()
        container.reload()
        networks = container.attrs["NetworkSettings"]["Networks"]
        return str(networks[self.internet.network.name]["IPAddress"])

    @cached_property
    def whoever_it_is(self) -> Site:
        """The host of the client API, without a look at its certificate."""
        return Site(f"matrix.{self.DOMAIN}", self.https_port, whoever_it_is=True)

    def be_seen_as(self, address: str) -> None:
        """Have the STUN servers tell it another address than its own; empty: say nothing."""
        self._seen_as = address
        self.internet.tell_address(self.address, address)

    def stop(self, *arguments: Any, **options: Any) -> None:
        """End it; whoever gets its address next is told the truth."""
        if self._seen_as is not None:
            self.internet.tell_address(self.address, None)
        super().stop(*arguments, **options)

    def is_ready(self) -> bool:
        """Return whether clients are answered, by whatever certificate."""
        try:
            return self.whoever_it_is.get("/_matrix/client/versions").status == 200
        except OSError:
            return False

    def certificate(self, port: int | None = None) -> x509.Certificate:
        """Return the certificate that is served now, whosoever it is."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = socket.create_connection(("127.0.0.1", port or self.https_port), timeout=10)
        with connection, context.wrap_socket(connection, server_hostname=self.matrix_host) as done:
            certificate = done.getpeercert(binary_form=True)
        assert certificate
        return x509.load_der_x509_certificate(certificate)

    @property
    def matrix_host(self) -> str:
        return f"matrix.{self.DOMAIN}"

    def has_certificate(self) -> bool:
        """Return whether a client that trusts its authority accepts what is served."""
        try:
            return bool(self.site("matrix").fetch_certificate())
        except OSError:
            return False

    def wait_for_certificate(self, within_seconds: float = 60) -> x509.Certificate:
        """Wait until a certificate of its authority is served, and return it."""
        until(self.has_certificate, "a certificate of the authority is served", within_seconds)
        return self.certificate()
