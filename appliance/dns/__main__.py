"""The program that the agent starts: looks at the zone, makes what is missing, says what it did.

Starts as root, which alone may read the token, and talks to the internet as the agent.
"""

import os
import pwd
import signal
import sys
import time
from pathlib import Path

from appliance.cloudflare import Cloudflare, CloudflareError
from appliance.dns import Source, records
from appliance.dns.state import State, word
from appliance.errors import OperationError
from appliance.paths import DNS_SOURCE
from appliance.public_address import PublicAddresses

_SECONDS_AT_MOST = 90


def main() -> None:
    """Run once; whatever came of it is in the state."""
    source = Source.from_json(Path(DNS_SOURCE).read_text())
    signal.alarm(_SECONDS_AT_MOST)
    try:
        with records.connect(source) as cloudflare:
            _become("agent")
            state = work(cloudflare, source, source.addresses)
    except OperationError as error:
        wait = error.retry_after_seconds if isinstance(error, CloudflareError) else None
        state = State(time.time(), failure=str(error), retry_after_seconds=wait)
    for line in state.done:
        print(line, file=sys.stderr)  # noqa: T201
    state.write()


def work(cloudflare: Cloudflare, source: Source, addresses: PublicAddresses) -> State:
    """Look at the zone and make it as it should be. Raise CloudflareError."""
    if not addresses.known:
        return State(time.time())
    zone, before = records.plan(cloudflare, source, addresses)
    rows = records.apply(cloudflare, zone, before)
    return State(time.time(), tuple(rows), done=word(rows, before))


def _become(user: str) -> None:
    """Be a user for good."""
    account = pwd.getpwnam(user)
    os.setgroups([])
    os.setresgid(account.pw_gid, account.pw_gid, account.pw_gid)
    os.setresuid(account.pw_uid, account.pw_uid, account.pw_uid)


if __name__ == "__main__":
    main()
