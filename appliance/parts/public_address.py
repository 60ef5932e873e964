"""The address of this machine for the world: found out by the agent's job, shown in status."""

import json
from collections.abc import Iterable

from appliance import public_address
from appliance.files import Entry, File
from appliance.machine import Machine
from appliance.parts.contract import Check, Deployment, Part, Program
from appliance.paths import PUBLIC_ADDRESS_SOURCE
from appliance.public_address import Known, kind
from appliance.settings import Settings


class PublicAddress(Part):
    """What the world has to call."""

    name = "public-address"
    order = 92

    def enabled(self, settings: Settings, machine: Machine) -> bool:
        """Return whether this machine is meant to be reached from the world."""
        del machine
        return bool(settings.public_ip)

    def files(self, deployment: Deployment) -> Iterable[Entry]:
        """Return what the job has to know; without it there is nothing to find out."""
        settings = deployment.settings
        if not settings.follows_public_ip:
            return ()
        values = {
            "servers": [(server.host, server.port) for server in settings.stun_servers],
            "interval_seconds": settings.public_ip_interval,
        }
        return (File(PUBLIC_ADDRESS_SOURCE, json.dumps(values, indent=1) + "\n"),)

    def programs(self, deployment: Deployment) -> Iterable[Program]:
        """Return nothing: the agent does it."""
        del deployment
        return ()

    def check(self, deployment: Deployment) -> Check:
        """Tell the addresses, who said so, and whether the world can send to them."""
        known = public_address.load(deployment.settings).known
        if not known:
            return Check(healthy=False, detail="not known yet")
        said = [
            f"{one}: {trouble}" if (trouble := _find_trouble(one)) else str(one) for one in known
        ]
        return Check(healthy=not any(map(_find_trouble, known)), detail=", ".join(said))


def _find_trouble(known: Known) -> str:
    """Return what keeps the world from an address, empty where nothing is known to."""
    return known.obstacle or (
        "" if kind.is_reachable(known.address) else kind.describe(known.address)
    )


PART = PublicAddress()
