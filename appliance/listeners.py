"""Where the servers listen, from the settings; opens nothing."""

from dataclasses import dataclass
from enum import StrEnum

from appliance.machine import Machine
from appliance.settings import Federation, Settings
from appliance.settings.network import LOOPBACK
from appliance.settings.types import Address


class Protocol(StrEnum):
    """What a port is of."""

    TCP = "tcp"
    UDP = "udp"


@dataclass(frozen=True)
class Listener:
    """A port on one of this machine's addresses, and the variable that decides it."""

    variable: str
    address: Address
    port: int
    protocol: Protocol = Protocol.TCP

    def __str__(self) -> str:
        host = f"[{self.address}]" if self.address.version == 6 else str(self.address)
        return f"{host}:{self.port}"

    @property
    def reachable(self) -> str:
        """Return the address and port at which this machine itself reaches it."""
        host = self.near_address
        return f"[{host}]:{self.port}" if self.address.version == 6 else f"{host}:{self.port}"

    @property
    def near_address(self) -> str:
        """Return the address at which this machine itself reaches it."""
        if not self.address.is_unspecified:
            return str(self.address)
        return "::1" if self.address.version == 6 else "127.0.0.1"


def plain_listeners(settings: Settings, machine: Machine) -> tuple[Listener, ...]:
    """Return where plain HTTP is served, IPv6 only where the kernel has it."""
    return _listeners(settings, machine, "http_port")


def tls_listeners(settings: Settings, machine: Machine) -> tuple[Listener, ...]:
    """Return where HTTPS is served: for clients, then for other servers; nowhere without TLS."""
    if not settings.tls:
        return ()
    federated = settings.federation is not Federation.OFF
    names = ("https_port", "federation_port") if federated else ("https_port",)
    return tuple(one for name in names for one in _listeners(settings, machine, name))


def turn_listeners(settings: Settings, machine: Machine) -> tuple[Listener, ...]:
    """Return where the relay is asked, UDP before TCP; where there is TLS, by that too."""
    names = ("turn_port", "turn_tls_port") if settings.tls else ("turn_port",)
    return tuple(
        listener
        for name in names
        for protocol in (Protocol.UDP, Protocol.TCP)
        for listener in _listeners(settings, machine, name, protocol)
    )


def _listeners(
    settings: Settings, machine: Machine, field: str, protocol: Protocol = Protocol.TCP
) -> tuple[Listener, ...]:
    return tuple(
        Listener(f"MATRIX_{field.upper()}", address, getattr(settings, field), protocol)
        for address in settings.listen
        if address.version == 4 or machine.ipv6
    )


def bridge_listener(settings: Settings) -> Listener:
    """Return where programs of this machine reach Synapse's client API."""
    return Listener("MATRIX_SYNAPSE_PORT", LOOPBACK[0], settings.synapse_port)


def client_address(settings: Settings, machine: Machine) -> str:
    """Return the address and port at which this machine reaches what clients reach."""
    listeners = (tls_listeners if settings.tls else plain_listeners)(settings, machine)
    return listeners[0].reachable
