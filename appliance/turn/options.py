"""What a start of the relay needs to know beside its configuration, and what it then did, as files.

The boot writes the first, the launcher the second; the agent compares.
"""

import json
from dataclasses import asdict, dataclass
from ipaddress import ip_address
from pathlib import Path

from appliance.paths import TURN_ADDRESSES, TURN_OPTIONS
from appliance.turn.addresses import Addresses, Relay, parse
from appliance.turn.local import Address


@dataclass(frozen=True)
class Options:
    """What the boot decided."""

    listen: tuple[Address, ...]
    ipv6: bool
    relay_first_port: int
    relay_last_port: int

    def to_json(self) -> str:
        """Return it as text."""
        return json.dumps(asdict(self), indent=2, default=str) + "\n"


def read_options(file: Path = Path(TURN_OPTIONS)) -> Options:
    """Return what the boot decided."""
    values = json.loads(file.read_text())
    return Options(**{**values, "listen": parse(values["listen"])})


def write_addresses(addresses: Addresses, file: Path = Path(TURN_ADDRESSES)) -> None:
    """Tell what this start of the relay uses."""
    relays = [{"local": str(one.local), "public": str(one.public)} for one in addresses.relays]
    new = file.with_suffix(".new")
    new.write_text(json.dumps({"relays": relays}) + "\n")
    new.replace(file)


def read_relays(file: Path = Path(TURN_ADDRESSES)) -> tuple[Relay, ...]:
    """Return what the running relay uses; nothing before its first start."""
    try:
        rows = json.loads(file.read_text())["relays"]
    except FileNotFoundError:
        return ()
    return tuple(Relay(ip_address(row["local"]), ip_address(row["public"])) for row in rows)
