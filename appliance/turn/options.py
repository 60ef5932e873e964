"""What a start of the relay needs to know beside its configuration, and what it then did, as files.

The boot writes the first, the launcher the second; the agent compares.
"""

import json
from dataclasses import asdict, dataclass
from ipaddress import ip_address
from pathlib import Path

from appliance import public_address
from appliance.endpoint import Address
from appliance.paths import (
    PUBLIC_ADDRESS,
    PUBLIC_ADDRESS_REMEMBERED,
    TURN_ADDRESSES,
    TURN_OPTIONS,
)
from appliance.turn.addresses import Addresses, Relay, choose, parse
from appliance.turn.local import find_source, read_addresses


@dataclass(frozen=True)
class Options:
    """What the boot decided."""

    listen: tuple[Address, ...]
    ipv6: bool
    public: tuple[Address, ...] | None
    """The public addresses that the owner named, None: those that the agent finds."""
    first_port: int
    last_port: int
    patience_seconds: int
    """How long calls may go on at an address that is no longer right."""

    def to_json(self) -> str:
        """Return it as text."""
        return json.dumps(asdict(self), indent=2, default=str) + "\n"


def read_options(file: Path = Path(TURN_OPTIONS)) -> Options:
    """Return what the boot decided."""
    values = json.loads(file.read_text())
    public = None if values["public"] is None else parse(values["public"])
    return Options(**{**values, "listen": parse(values["listen"]), "public": public})


def find_addresses(options: Options) -> Addresses:
    """Return the addresses that a start of the relay would use now."""
    here = [one for one in read_addresses() if one.address.version == 4 or options.ipv6]
    asked = [one for one in options.listen if one.version == 4 or options.ipv6]
    public: dict[int, Address] = {one.version: one for one in _find_public(options)}
    return choose(asked, here, find_source, public)


def _find_public(options: Options) -> tuple[Address, ...]:
    if options.public is not None:
        return options.public
    for path in (PUBLIC_ADDRESS, PUBLIC_ADDRESS_REMEMBERED):
        if found := public_address.read(path):
            return found.addresses
    return ()


def write_relays(relays: tuple[Relay, ...], file: Path = Path(TURN_ADDRESSES)) -> None:
    """Tell where this start of the relay relays."""
    rows = [{"local": str(one.local), "public": str(one.public)} for one in relays]
    new = file.with_suffix(".new")
    new.write_text(json.dumps({"relays": rows}) + "\n")
    new.replace(file)


def read_relays(file: Path = Path(TURN_ADDRESSES)) -> tuple[Relay, ...] | None:
    """Return where the running relay relays, None before its first start."""
    try:
        rows = json.loads(file.read_text())["relays"]
    except FileNotFoundError:
        return None
    return tuple(Relay(ip_address(row["local"]), ip_address(row["public"])) for row in rows)
