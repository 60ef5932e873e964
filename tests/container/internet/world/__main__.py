"""The internet of the tests, in one container: DNS, its provider, and certificate authorities.

Run as `python3 -m world CERTIFICATE`, a file with the certificate and key of every host.
Prints one line when all of it answers.
"""

import socket
import sys
import threading

from world import cloudflare, dns, duckdns, http_server, stun
from world.authorities import Authorities
from world.control import Control
from world.http_server import World
from world.zones import Registry

CONTROL_PORT = 8000


def main() -> None:
    """Serve until the container is stopped."""
    (certificate,) = sys.argv[1:]
    address = socket.gethostbyname(socket.gethostname())
    registry, world = Registry(), World()
    mirror, resolver = stun.Mirror(world.calls), dns.Resolver(registry, world.calls, world.faults)
    control = Control(
        world,
        registry,
        Authorities(certificate),
        resolver=resolver,
        mirror=mirror,
        address=address,
    )
    world.hosts[cloudflare.HOST] = cloudflare.Cloudflare(registry)
    world.hosts[duckdns.HOST] = duckdns.DuckDns(registry)
    for host in ("ns.world.test", *world.hosts, *stun.SERVERS):
        control.publish_host(host)
    dns.serve(resolver)
    stun.serve(mirror)
    http_server.serve(80, world)
    http_server.serve(443, world, certificate)
    controls = World()
    controls.hosts["control"] = control
    http_server.serve(CONTROL_PORT, controls)
    print(f"the world is at {address}", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
