"""Start LiveKit: find the addresses that callers are told, then become it.

Runs as `livekit`. Never lets LiveKit look for its address itself: it would ask Google's servers,
and end where they do not answer.
"""

import os
import resource
import sys
from pathlib import Path

from appliance import public_address
from appliance.paths import LIVEKIT, LIVEKIT_ADDRESSES, PUBLIC_ADDRESS, PUBLIC_ADDRESS_REMEMBERED
from appliance.public_address import route

PID_FILE = Path(f"{LIVEKIT}/work/livekit.pid")
FOLLOW = "follow"


def find_addresses(given: list[str]) -> list[str]:
    """Return the addresses of this moment, at most one of each family.

    `given` are those that the boot knew, with `follow` those that the agent found last. A family
    of which nothing is known is told the address from which this machine sends.
    """
    known = set(given) - {FOLLOW}
    if FOLLOW in given:
        found = public_address.read(PUBLIC_ADDRESS) or public_address.read(
            PUBLIC_ADDRESS_REMEMBERED
        )
        known = {str(address) for address in found.addresses} if found else set()
    if known:
        return sorted(known)
    own = (route.find_own_address(version) for version in (4, 6))
    return [str(address) for address in own if address] or ["127.0.0.1"]


def main() -> None:
    """Become LiveKit. The first argument is how many bytes it may hold."""
    most, *given = sys.argv[1:]
    # A caller may send it a message of any size: it ends then, and callers come back to the next
    # one, rather than have the machine end somebody else.
    resource.setrlimit(resource.RLIMIT_DATA, (int(most), int(most)))
    addresses = ",".join(find_addresses(given))
    if FOLLOW in given:
        Path(LIVEKIT_ADDRESSES).write_text(addresses)
    PID_FILE.write_text(str(os.getpid()))
    command = ["livekit", "--config", f"{LIVEKIT}/livekit.yaml", "--node-ip", addresses]
    os.execvp(command[0], command)  # noqa: S606 - it becomes LiveKit


if __name__ == "__main__":
    main()
