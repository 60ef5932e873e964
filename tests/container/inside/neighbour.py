"""Runs in the appliance's network namespace: has addresses there, writes down who sends to them.

Usage: neighbour.py PORT FILE ADDRESS[/LENGTH]… All of them lead here; nothing leaves the machine.
"""

import socket
import sys
from ipaddress import ip_interface
from pathlib import Path

from pyroute2 import IPRoute


def main() -> None:
    port, file, addresses = int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]
    with IPRoute() as kernel:
        (loopback,) = kernel.link_lookup(ifname="lo")
        for text in addresses:
            interface = ip_interface(text)
            length = interface.network.prefixlen
            kernel.addr("add", index=loopback, address=str(interface.ip), prefixlen=length)
    listener = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    listener.bind(("::", port))
    file.touch()
    while True:
        heard = listener.recv(2000).decode()
        with file.open("a") as notes:
            notes.write(f"{heard}\n")


if __name__ == "__main__":
    main()
