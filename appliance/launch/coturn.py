"""Start coturn: find the addresses of this moment, then become it.

Runs as `turnserver`. Addresses are no part of its configuration file because they change while the
appliance runs; the agent has it started again then.
"""

import os
from collections.abc import Iterator

from appliance.paths import COTURN
from appliance.turn.addresses import Addresses, describe
from appliance.turn.options import find_addresses, read_options, write_relays


def build_command(addresses: Addresses) -> list[str]:
    """Return the argv; the secret is in the file."""
    return ["turnserver", "-c", f"{COTURN}/turnserver.conf", *_build_options(addresses)]


def _build_options(addresses: Addresses) -> Iterator[str]:
    for address in addresses.listening:
        yield f"--listening-ip={address}"
    for relay in addresses.relays:
        yield f"--relay-ip={relay.local}"
        if relay.translated:
            # The pair form: it may be given once for each family, and its second half is allowed
            # as a peer, so that two relayed callers reach each other.
            yield f"--external-ip={relay.public}/{relay.local}"
        yield f"--allowed-peer-ip={relay.public}"
        if relay.local.is_loopback:  # whoever is there reaches what listens there anyway
            yield "--allow-loopback-peers"
    for network in addresses.neighbours:
        yield f"--denied-peer-ip={network[0]}-{network[-1]}"


def main() -> None:
    """Become coturn."""
    addresses = find_addresses(read_options())
    write_relays(addresses.relays)
    print(f"relays calls at {describe(addresses.relays)}", flush=True)  # noqa: T201
    command = build_command(addresses)
    os.execvp(command[0], command)  # noqa: S606 - it becomes coturn


if __name__ == "__main__":
    main()
