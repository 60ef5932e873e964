"""Runs in the appliance's network namespace: nothing leaves a UDP port until this is told to end.

Usage: block.py PORT FILE. The file is made once it is so; ends when the file is gone.
"""

import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pyroute2 import IPRoute

_BEFORE_OTHER_TABLES = 100


@contextmanager
def blocked(kernel: IPRoute, port: int) -> Iterator[None]:
    """Have a rule of routing for it, as long as the block: a firewall's are not in every kernel."""
    rules = [
        {
            "family": family,
            "priority": _BEFORE_OTHER_TABLES,
            "action": "FR_ACT_BLACKHOLE",
            "FRA_IP_PROTO": socket.IPPROTO_UDP,
            "FRA_SPORT_RANGE": f"{port}:{port}",
        }
        for family in (socket.AF_INET, socket.AF_INET6)
    ]
    for rule in rules:
        kernel.rule("add", **rule)
    try:
        yield
    finally:
        for rule in rules:
            kernel.rule("del", **rule)


def main() -> None:
    port, file = int(sys.argv[1]), Path(sys.argv[2])
    with IPRoute() as kernel, blocked(kernel, port):
        file.touch()
        while file.exists():
            time.sleep(0.1)


if __name__ == "__main__":
    main()
