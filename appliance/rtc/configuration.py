"""What the service was told by the boot, read once."""

import json
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path

from appliance.paths import RTC

Network = IPv4Network | IPv6Network


@dataclass(frozen=True)
class Configuration:
    """Who we are, and where the others are."""

    server_name: str
    homeserver: str
    livekit: str
    livekit_key: str
    livekit_secret: str
    public_livekit: str
    denied_ranges: tuple[Network, ...]
    allowed_servers: frozenset[str] | None
    """The servers whose users may join; None for all."""

    def __repr__(self) -> str:
        return f"Configuration({self.server_name})"


def read_configuration(directory: Path = Path(RTC)) -> Configuration:
    """Read what the boot wrote."""
    values = json.loads((directory / "configuration.json").read_text())
    allowed = values.pop("allowed_servers")
    denied = tuple(map(ip_network, values.pop("denied_ranges")))
    return Configuration(
        **values,
        livekit_secret=(directory / "livekit_secret").read_text().strip(),
        denied_ranges=denied,
        allowed_servers=None if allowed is None else frozenset(allowed),
    )
