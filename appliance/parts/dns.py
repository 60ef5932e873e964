"""The appliance's names in the DNS, where there is a token: looked at now and then, never at boot.

What is done is in `appliance/dns`; the agent starts the program.
"""

from collections.abc import Iterable

from appliance.dns import Source
from appliance.dns.state import State
from appliance.files import Entry, File
from appliance.machine import Machine
from appliance.parts.contract import Check, Deployment, Part, Program
from appliance.paths import DNS_SOURCE
from appliance.settings import CloudflareDns, Settings


class Dns(Part):
    """The records by which the world finds this server."""

    name = "dns"
    order = 93

    def enabled(self, settings: Settings, machine: Machine) -> bool:
        """Return whether the appliance may write records, and has an address to write."""
        del machine
        return settings.cloudflare_dns is not CloudflareDns.OFF and bool(settings.public_ip)

    def files(self, deployment: Deployment) -> Iterable[Entry]:
        """Return what the program has to know, the token among it."""
        text = Source.of(deployment.settings).to_json()
        return (File(DNS_SOURCE, text, mode=0o600, secret=True),)

    def programs(self, deployment: Deployment) -> Iterable[Program]:
        """Return the program: root only until it has read the token."""
        del deployment
        command = ("python", "-m", "appliance.dns")
        return (Program("dns", command, "root", once=True, on_demand=True),)

    def check(self, deployment: Deployment) -> Check:
        """Tell what the last look found."""
        del deployment
        state = State.read()
        if state is None:
            return Check(healthy=True, detail="not looked at yet")
        return Check(healthy=state.well, detail=state.summarize())


PART = Dns()
