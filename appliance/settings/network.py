"""Where the appliance listens, and whom it trusts on the way."""

from collections import Counter
from collections.abc import Iterator
from ipaddress import ip_address

from pydantic import BaseModel

from appliance.errors import Problem
from appliance.settings.domain import is_trial
from appliance.settings.tls import TlsMode
from appliance.settings.types import Address, Addresses, Networks, Port, variable

LOOPBACK: tuple[Address, ...] = (ip_address("127.0.0.1"), ip_address("::1"))
EVERYWHERE: tuple[Address, ...] = (ip_address("0.0.0.0"), ip_address("::"))  # noqa: S104

# Ends of fields that are ports of UDP alone.
_UDP_PORTS = ("_udp_port", "_first_port", "_last_port")


class NetworkSettings(BaseModel):
    """Variables about addresses and ports."""

    listen: Addresses = variable(
        derived=lambda values: LOOPBACK if is_trial(values) else EVERYWHERE,
        help="The addresses of this machine to listen on, for every service. An IPv6 address is "
        "left out by itself where the kernel has no IPv6.",
        default_text="`127.0.0.1,::1` in the trial, else `0.0.0.0,::`",
        min_length=1,
    )
    http_port: Port = variable(
        derived=lambda values: 8080 if values["tls_mode"] is TlsMode.PROXY else 80,
        help="Port of plain HTTP: all of the trial, and what another proxy passes on to; with TLS "
        "only the redirect to HTTPS.",
        default_text="`8080` when `MATRIX_TLS_MODE=proxy`, else `80`",
    )
    https_port: Port = variable(
        443, help="Port of HTTPS; when `MATRIX_TLS_MODE=proxy` that of the other proxy."
    )
    federation_port: Port = variable(
        8448,
        help="Second HTTPS port for other servers, also of another proxy; they need it only where "
        "they cannot read well-known.",
    )
    synapse_port: Port = variable(
        8008, help="Loopback port on which bridges reach Synapse's client API."
    )
    admin_api_ranges: Networks = variable(
        (),
        help="Addresses from which `/_synapse/admin` is answered through nginx. Without any, only "
        "the `appliance` command reaches it. Behind another proxy name that one in "
        "`MATRIX_TRUSTED_PROXIES`, or every client looks like it.",
        default_text="none",
    )

    @property
    def listens_beyond_loopback(self) -> bool:
        """Whether another machine can reach any service."""
        return not all(address.is_loopback for address in self.listen)

    def problems(self) -> Iterator[Problem]:
        """Yield TCP ports that are given twice, those of later areas too."""
        names = [name for name in type(self).model_fields if _is_tcp_port(name)]
        if vars(self)["tls_mode"] is TlsMode.PROXY:  # those are the other proxy's
            names = [name for name in names if name not in ("https_port", "federation_port")]
        ports = {name: getattr(self, name) for name in names}
        uses = Counter(ports.values())
        for name, port in ports.items():
            if uses[port] > 1:
                others = [other for other in names if ports[other] == port and other != name]
                yield Problem(
                    f"MATRIX_{name.upper()}",
                    f"{port} is also the port of MATRIX_{others[0].upper()}; give each its own",
                )


def _is_tcp_port(field: str) -> bool:
    return field.endswith("_port") and not field.endswith(_UDP_PORTS)
