"""Bridges to other networks: a part for each line of the table, and one for what they share.

How a bridge is configured is in `appliance/bridges`.
"""

from collections.abc import Iterable, Iterator

from appliance import databases, ports
from appliance.bridges import configuration, own_settings, selection, versions
from appliance.bridges.catalogue import CATALOGUE, Bridge, Framework
from appliance.bridges.configuration import DOUBLE_PUPPET, credential_name
from appliance.credentials import Credential
from appliance.errors import Problem
from appliance.files import Directory, Entry, File
from appliance.listeners import Listener
from appliance.machine import Machine
from appliance.parts.contract import Check, Deployment, Part, Probe, Program
from appliance.paths import BRIDGE_POSTS, BRIDGE_PROBES, BRIDGES, NGINX_PID, REGISTRATIONS
from appliance.probe import HttpProbe, to_json
from appliance.settings import Settings


class Bridges(Part):
    """What all bridges share: the right to send as the users of this server."""

    name = "bridges"
    order = 59
    appservices = (DOUBLE_PUPPET,)
    credentials = tuple(
        Credential(credential_name(DOUBLE_PUPPET, secret))
        for secret in configuration.DOUBLE_PUPPET_SECRETS
    )

    def enabled(self, settings: Settings, machine: Machine) -> bool:
        """Return whether there is any bridge."""
        return bool(selection.enabled(settings, machine))

    def problems(self, deployment: Deployment) -> Iterator[Problem]:
        """Yield administrators of another server, files of no bridge, and a port that is taken."""
        with_settings = {one.name for one in CATALOGUE if one.framework is Framework.MAUTRIX}
        yield from own_settings.find_strangers(with_settings)
        settings = deployment.settings
        yield from _find_taken(configuration.posts_listener(settings))
        for user_id in configuration.admin_ids(settings):
            if not user_id.endswith(f":{settings.server_name}"):
                yield Problem(
                    "MATRIX_BRIDGE_ADMINS",
                    f"{user_id} is not a user of this server, whose users are "
                    f"@name:{settings.server_name}",
                )

    def files(self, deployment: Deployment) -> Iterable[Entry]:
        """Return the registration of the double puppets, and what the agent has to know.

        That is what it asks each bridge, and who posts to it.
        """
        known = (deployment.settings, deployment.credentials)
        text = configuration.render_double_puppets(*known)
        enabled = selection.enabled(deployment.settings, deployment.machine)
        posting = [bridge for bridge in enabled if bridge.framework is Framework.MAUTRIX]
        posts = configuration.render_posts(posting, *known)
        parts = (_part_of(bridge) for bridge in enabled)
        # One that is left off has no program; its part says why.
        probes = {part.name: part.probes(deployment) for part in parts if part.programs(deployment)}
        return (
            Directory(BRIDGES),
            File(BRIDGE_PROBES, to_json(probes)),
            File(BRIDGE_POSTS, posts, "root", "agent", 0o640),
            Directory(str(versions.SEEN)),
            _registration(DOUBLE_PUPPET, text),
        )

    def programs(self, deployment: Deployment) -> Iterable[Program]:
        """Return what logs out who left; each bridge is a part."""
        del deployment
        command = ("appliance", "bridge", "log-out-closed")
        return (Program("bridge-leavers", command, "root", once=True, on_demand=True),)


class BridgePart(Part):
    """One bridge, whatever it is made with."""

    order = 60
    secrets: tuple[str, ...] = ("as_token", "hs_token")

    def __init__(self, bridge: Bridge) -> None:
        self.bridge = bridge
        self.name = bridge.name
        self.appservices = (bridge.name,)
        self.credentials = tuple(
            Credential(credential_name(bridge.name, secret)) for secret in self.secrets
        )

    def enabled(self, settings: Settings, machine: Machine) -> bool:
        """Return whether it was asked for, or is on by default and can be had."""
        return self.bridge in selection.enabled(settings, machine)

    def problems(self, deployment: Deployment) -> Iterator[Problem]:
        """Yield what it lacks, and a port that is taken."""
        settings, machine = deployment.settings, deployment.machine
        if gap := selection.find_gap(self.bridge, settings, machine):
            yield Problem("MATRIX_BRIDGES", f"names {self.name}, but {gap}")
        yield from _find_taken(configuration.listener(self.bridge, settings))

    def files(self, deployment: Deployment) -> Iterable[Entry]:
        """Return its configuration, which it cannot write, and its registration for Synapse."""
        given = (self.bridge, deployment.settings, deployment.credentials)
        registration = configuration.render_registration(*given)
        directory = f"{BRIDGES}/{self.name}"
        text = self.configure(deployment, registration)
        return (
            Directory(directory, "root", self.name, 0o750),
            File(f"{directory}/config.yaml", text, "root", self.name, 0o640, secret=True),
            _registration(self.name, registration),
        )

    def configure(self, deployment: Deployment, registration: str) -> str:
        """Return the bridge's configuration; the registration, where it is the same."""
        del deployment
        return registration

    def launch(self, deployment: Deployment, database: str, *command: str) -> Program:
        """Return the program that waits for Synapse and becomes the bridge."""
        address = configuration.homeserver_address(deployment.settings)
        posts = str(configuration.posts_listener(deployment.settings)) if database else ""
        place = databases.locate(deployment.settings, database).conninfo if database else ""
        launch = ("python", "-m", "appliance.launch.bridge", address, posts, place)
        return Program(self.name, (*launch, *command), self.name, leaves_first=True)


class MautrixPart(BridgePart):
    """A bridge of mautrix, in Go."""

    secrets = configuration.SECRETS

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self.databases = (bridge.name,)

    def problems(self, deployment: Deployment) -> Iterator[Problem]:
        """Yield what is wrong with the owner's settings too."""
        yield from super().problems(deployment)
        yield from own_settings.merge(self.bridge, "").problems

    def files(self, deployment: Deployment) -> Iterable[Entry]:
        """Return also which version its database has seen."""
        seen = versions.remember(self.bridge, deployment.machine)
        return (*super().files(deployment), File(f"{versions.SEEN}/{self.name}", seen))

    def configure(self, deployment: Deployment, registration: str) -> str:
        """Return its configuration with the owner's settings merged in."""
        del registration
        given = (self.bridge, deployment.settings, deployment.credentials)
        return own_settings.merge(self.bridge, configuration.render_configuration(*given)).text

    def programs(self, deployment: Deployment) -> Iterable[Program]:
        """Return the bridge, which writes nothing but its database.

        One that is older than its data would end at once: Synapse keeps what comes meanwhile.
        """
        if versions.find_newer(self.bridge, deployment.machine):
            return ()
        command = (self.bridge.component, "-n", "-c", f"{BRIDGES}/{self.name}/config.yaml")
        return (self.launch(deployment, self.name, *command),)

    def probes(self, deployment: Deployment) -> Iterable[Probe]:
        """Return whether it is connected to Synapse."""
        address = configuration.listener(self.bridge, deployment.settings)
        return (HttpProbe(str(address), "/_matrix/mau/ready"),)

    def warnings(self, deployment: Deployment) -> Iterator[str]:
        """Yield that it is older than its data."""
        if newer := versions.find_newer(self.bridge, deployment.machine):
            yield versions.explain(self.bridge, deployment.machine, newer)

    def check(self, deployment: Deployment) -> Check:
        """Ask it, unless it is left off."""
        for warning in self.warnings(deployment):
            return Check(healthy=False, detail=warning)
        return super().check(deployment)


class HeisenbridgePart(BridgePart):
    """The bridge to IRC, in Python: what it has to remember is in Synapse."""

    def programs(self, deployment: Deployment) -> Iterable[Program]:
        """Return the bridge, which belongs to the first administrator."""
        settings = deployment.settings
        own = configuration.listener(self.bridge, settings)
        options = (
            *("-v", "-c", f"{BRIDGES}/{self.name}/config.yaml"),
            *("-l", str(own.address), "-p", str(own.port)),
            *("-o", configuration.admin_ids(settings)[0]),
        )
        homeserver = f"http://{configuration.homeserver_address(settings)}"
        return (self.launch(deployment, "", "python", "-m", "heisenbridge", *options, homeserver),)

    def probes(self, deployment: Deployment) -> Iterable[Probe]:
        """Return whether it listens to Synapse."""
        address = configuration.listener(self.bridge, deployment.settings)
        return (HttpProbe(str(address), "/_matrix/mau/live"),)


_KINDS: dict[Framework, type[BridgePart]] = {
    Framework.MAUTRIX: MautrixPart,
    Framework.HEISENBRIDGE: HeisenbridgePart,
}


def _find_taken(listener: Listener) -> Iterable[Problem]:
    if ports.is_running("nginx", NGINX_PID):  # as for `appliance check` beside it
        return ()
    return ports.problems([listener])


def _registration(name: str, text: str) -> File:
    return File(f"{REGISTRATIONS}/{name}.yaml", text, "root", "synapse", 0o640, secret=True)


def _part_of(bridge: Bridge) -> BridgePart:
    return _KINDS[bridge.framework](bridge)


PARTS = (Bridges(), *map(_part_of, CATALOGUE))
