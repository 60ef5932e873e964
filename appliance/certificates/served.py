"""What each service really serves, for whoever wants to see it. Changes nothing."""

from collections.abc import Iterator
from dataclasses import dataclass

from cryptography import x509

from appliance.certificates.handover import first_certificate, served
from appliance.certificates.publication import Publication
from appliance.certificates.source import Source


@dataclass(frozen=True)
class Served:
    """The certificate at one address."""

    program: str
    address: str
    serial: str | None
    """None where nobody answers by TLS."""
    published: bool
    """Whether it is the one that is published."""

    @property
    def summary(self) -> str:
        """Return it in a few words."""
        if self.serial is None:
            return "no answer"
        return "this certificate" if self.published else f"another certificate, {self.serial}"

    @property
    def complaint(self) -> str:
        """Return what is wrong with it, empty if nothing is."""
        return "" if self.published else f"{self.program} at {self.address}: {self.summary}"


def find_served(source: Source, publication: Publication) -> list[Served]:
    """Ask every service at each of its addresses."""
    return [*_ask(source, publication)]


def _ask(source: Source, publication: Publication) -> Iterator[Served]:
    for service in source.services:
        expected = first_certificate(publication.certificate(service.group).read_text())
        for address in service.addresses:
            found = served(address, source.hosts[0])
            serial = f"{x509.load_der_x509_certificate(found).serial_number:x}" if found else None
            yield Served(service.program, address, serial, found == expected)
