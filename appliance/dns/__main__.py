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
from appliance.paths import DNS_SOURCE
from appliance.public_address import PublicAddresses

_SECONDS_AT_MOST = 90


def main() -> None:
    """Run once; whatever came of it is in the state."""
    source = Source.from_json(Path(DNS_SOURCE).read_text())
    _become("agent")
    signal.alarm(_SECONDS_AT_MOST)
    state = work(source, source.addresses)
    for line in state.done:
        print(line, file=sys.stderr)  # noqa: T201
    state.write()


def work(source: Source, addresses: PublicAddresses) -> State:
    """Look at the zone and make it as it should be; a failure is part of the state."""
    if not addresses.known:
        return State(time.time())
    try:
        with Cloudflare(source.token, source.api) as cloudflare:
            zone, before = records.plan(cloudflare, source, addresses)
            rows = records.apply(cloudflare, zone, before)
    except CloudflareError as error:
        return State(time.time(), failure=str(error), retry_after_seconds=error.retry_after_seconds)
    return State(time.time(), tuple(rows), done=word(rows, before))


def _become(user: str) -> None:
    """Be a user for good."""
    account = pwd.getpwnam(user)
    os.setgroups([])
    os.setresgid(account.pw_gid, account.pw_gid, account.pw_gid)
    os.setresuid(account.pw_uid, account.pw_uid, account.pw_uid)


if __name__ == "__main__":
    main()
