"""The agent: everything that happens by clock or by watching, without any privilege."""

from collections.abc import Iterable

from appliance.files import Directory, Entry
from appliance.parts.contract import Deployment, Part, Program
from appliance.paths import AGENT_DATA


class Agent(Part):
    """One process that runs the jobs of `appliance/jobs`."""

    name = "agent"
    order = 90

    def files(self, deployment: Deployment) -> Iterable[Entry]:
        """Return the directories of its state: of this run, and what survives it."""
        del deployment
        return (
            Directory("/run/agent", "agent", "agent"),
            Directory(AGENT_DATA, "agent", "agent", mode=0o755, whole_tree=True),
        )

    def programs(self, deployment: Deployment) -> Iterable[Program]:
        """Return the agent."""
        del deployment
        return (Program("agent", ("python", "-m", "appliance.agent"), "agent"),)


PART = Agent()
