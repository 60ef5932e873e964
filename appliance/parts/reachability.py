"""Whether the names lead here: visited by the agent's job, shown in status.

Green certificates on a server that nobody reaches are no success.
"""

import json
from collections.abc import Iterable
from pathlib import Path

from appliance.files import Directory, Entry, File
from appliance.machine import Machine
from appliance.parts.contract import Check, Deployment, Part, Program
from appliance.paths import AGENT_STATE, ARRIVALS, ARRIVALS_URL, NGINX, REACHABILITY_SOURCE
from appliance.reachability.source import Source
from appliance.render import render_template
from appliance.settings import Settings


class Reachability(Part):
    """How the world finds the way."""

    name = "reachability"
    order = 94

    def enabled(self, settings: Settings, machine: Machine) -> bool:
        """Return whether the world is meant to come."""
        del machine
        return bool(settings.public_ip)

    def files(self, deployment: Deployment) -> Iterable[Entry]:
        """Return what the job has to know, and where it lays out a word for itself."""
        source = Source.of(deployment.settings, deployment.machine)
        values = {"url": ARRIVALS_URL, "directory": ARRIVALS, "nginx": NGINX}
        text = render_template("run/nginx/arrival.conf.j2", **values)
        return (
            File(REACHABILITY_SOURCE, source.to_json()),
            Directory(ARRIVALS, "agent", "agent", fresh=True),
            File(f"{NGINX}/every.d/arrival.conf", text),
        )

    def programs(self, deployment: Deployment) -> Iterable[Program]:
        """Return nothing: the agent does it."""
        del deployment
        return ()

    def check(self, deployment: Deployment) -> Check:
        """Tell what the last visit found."""
        del deployment
        try:
            found = json.loads(Path(AGENT_STATE).read_text())["jobs"]["reachability"]
        except (FileNotFoundError, KeyError):
            return Check(healthy=True, detail="not looked at yet")
        return Check(healthy=found["ok"], detail=found["detail"])


PART = Reachability()
