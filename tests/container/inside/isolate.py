"""Runs in a caller's network namespace: takes every way out of its own network away."""

import socket

from pyroute2 import IPRoute

with IPRoute() as kernel:
    for family in (socket.AF_INET, socket.AF_INET6):
        for route in kernel.get_routes(family=family):
            gateway = route.get_attr("RTA_GATEWAY")
            if route["dst_len"] == 0 and gateway:
                kernel.route("del", family=family, dst="default", gateway=gateway)
