"""The relay for calls (coturn): whether, at which ports, for how much, and to whom it relays."""

from collections.abc import Iterator
from ipaddress import ip_address

from pydantic import BaseModel

from appliance.errors import Problem
from appliance.settings.domain import is_trial
from appliance.settings.types import Boolean, Duration, Networks, Port, variable


class TurnSettings(BaseModel):
    """Variables about the relay."""

    turn: Boolean = variable(
        derived=lambda values: not is_trial(values),
        help="Whether the appliance relays calls of clients that cannot reach each other (coturn, "
        "at `turn.DOMAIN`).",
        default_text="`no` in the trial, else `yes`",
    )
    turn_port: Port = variable(3478, help="Port of the relay for TURN, UDP and TCP.")
    turn_tls_port: Port = variable(
        5349, help="Port of the relay for TURN in TLS (TCP) and DTLS (UDP)."
    )
    turn_relay_first_port: Port = variable(
        49160,
        help="First of the UDP ports that relay calls; each caller takes one or more.",
    )
    turn_relay_last_port: Port = variable(49200, help="Last of those ports.")
    turn_user_quota: int = variable(
        12,
        help="How many relay ports a user may hold at once. Clients ask for one for each transport "
        "and network of their device.",
        ge=1,
    )
    turn_total_quota: int = variable(
        derived=lambda values: max(
            1, values["turn_relay_last_port"] - values["turn_relay_first_port"] + 1
        ),
        help="How many relay ports all users together may hold at once.",
        default_text="the number of relay ports",
        ge=1,
    )
    turn_credentials_lifetime: Duration = variable(
        86400,
        help="How long the relay credentials that a client gets from the server are good.",
        default_text="`1d`",
        ge=60,
    )
    turn_patience: Duration = variable(
        300,
        help="How long relayed calls may go on after the address of this machine has changed, "
        "before the relay starts again with the new one.",
        default_text="`5m`",
    )
    turn_allowed_peers: Networks = variable(
        (),
        help="Private addresses that the relay may send to all the same, such as the range of a "
        "LAN. It refuses every address that is not public but its own: else any user could reach "
        "into your network through it.",
        default_text="none",
    )

    @property
    def turn_relay_ports(self) -> range:
        """The UDP ports of relayed calls."""
        return range(self.turn_relay_first_port, self.turn_relay_last_port + 1)

    def problems(self) -> Iterator[Problem]:
        """Yield a range of ports that is none, ports in it, and peers that open more than meant."""
        if not self.turn_relay_ports:
            yield Problem(
                "MATRIX_TURN_RELAY_LAST_PORT",
                f"{self.turn_relay_last_port} is below MATRIX_TURN_RELAY_FIRST_PORT",
            )
        for name in ("turn_port", "turn_tls_port", "livekit_udp_port"):
            if getattr(self, name) in self.turn_relay_ports:
                yield Problem(
                    f"MATRIX_{name.upper()}",
                    f"{getattr(self, name)} is one of the relay ports, from "
                    "MATRIX_TURN_RELAY_FIRST_PORT to MATRIX_TURN_RELAY_LAST_PORT",
                )
        if (other := self.livekit_udp_port) in (self.turn_port, self.turn_tls_port):  # type: ignore[attr-defined]
            yield Problem(
                "MATRIX_LIVEKIT_UDP_PORT", f"{other} is also a port of the relay; give each its own"
            )
        for network in self.turn_allowed_peers:
            # coturn takes a lower bound of `::` for every address of either family.
            if network.network_address in (ip_address("::"), ip_address("0.0.0.0")):  # noqa: S104
                yield Problem(
                    "MATRIX_TURN_ALLOWED_PEERS",
                    f"{network} would open every network behind this machine: name the range that "
                    "is meant",
                )
            elif network.is_loopback or network.is_multicast:
                yield Problem(
                    "MATRIX_TURN_ALLOWED_PEERS",
                    f"{network} is not a range of other machines: the relay never sends there",
                )
