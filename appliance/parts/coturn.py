"""coturn, the relay for calls of clients that cannot reach each other.

Its addresses are found at each start by `appliance/launch/coturn.py`.
"""

from collections.abc import Iterable, Iterator

from appliance import ports
from appliance.credentials import Credential
from appliance.errors import Problem
from appliance.files import Directory, Entry, File
from appliance.listeners import Protocol, turn_listeners
from appliance.machine import Machine
from appliance.parts.contract import Check, Deployment, Part, Program, PublicPort, TlsService
from appliance.paths import COTURN, TLS, TURN_OPTIONS
from appliance.render import render_template
from appliance.settings import Settings
from appliance.turn import peers
from appliance.turn.options import Options

SECRET = "turn_shared_secret"  # noqa: S105 - a name
_GROUP = "turnserver"
# One carries what a home's uplink can; each has sockets of its own at every address.
_THREADS = 2


class Coturn(Part):
    """The relay."""

    name = "coturn"
    order = 30
    credentials = (Credential(SECRET),)

    def enabled(self, settings: Settings, machine: Machine) -> bool:
        """Return whether it was asked for."""
        del machine
        return bool(settings.turn)

    def problems(self, deployment: Deployment) -> Iterator[Problem]:
        """Yield ports that cannot be had: coturn itself would run on without them."""
        if not ports.is_running("turnserver", f"{COTURN}/work/turnserver.pid"):
            yield from ports.problems(turn_listeners(deployment.settings, deployment.machine))

    def files(self, deployment: Deployment) -> Iterable[Entry]:
        """Return the configuration, and what a start needs to know beside it."""
        settings = deployment.settings
        text = render_template(
            "run/coturn/turnserver.conf.j2",
            settings=settings,
            secret=deployment.credentials[SECRET],
            certificate=f"{TLS}/current/{_GROUP}" if settings.tls else None,
            denied_peers=peers.denied(),
            allowed_peers=peers.all_bounds(settings.turn_allowed_peers),
            threads=min(deployment.machine.cores, _THREADS),
            directory=COTURN,
        )
        options = Options(
            listen=settings.listen,
            ipv6=deployment.machine.ipv6,
            public=None if settings.follows_public_ip else settings.given_public_ips,
            first_port=settings.turn_relay_first_port,
            last_port=settings.turn_relay_last_port,
            patience_seconds=settings.turn_patience,
        )
        return (
            Directory(COTURN),
            Directory(f"{COTURN}/work", "turnserver", "turnserver", fresh=True),
            File(f"{COTURN}/turnserver.conf", text, "root", "turnserver", 0o640, secret=True),
            File(TURN_OPTIONS, options.to_json()),
        )

    def programs(self, deployment: Deployment) -> Iterable[Program]:
        """Return coturn."""
        listeners = turn_listeners(deployment.settings, deployment.machine)
        low = any(listener.port < 1024 for listener in listeners)
        command = ("python", "-m", "appliance.launch.coturn")
        # A line for each question of somebody whom it does not know, and no setting to have less.
        return (Program("coturn", command, "turnserver", ports_below_1024=low, talkative=True),)

    def tls_services(self, deployment: Deployment) -> Iterable[TlsService]:
        """Return coturn, which reads a new pair for TLS and DTLS at the same signal."""
        settings = deployment.settings
        secure = [
            listener
            for listener in turn_listeners(settings, deployment.machine)
            if listener.protocol is Protocol.TCP and listener.port == settings.turn_tls_port
        ]
        if secure:
            yield TlsService("coturn", _GROUP, "USR2", (secure[0].reachable,))

    def public_ports(self, deployment: Deployment) -> Iterable[PublicPort]:
        """Return the ports of clients, then those through which calls go."""
        settings = deployment.settings
        words = {settings.turn_port: "calls", settings.turn_tls_port: "calls, encrypted"}
        asked = turn_listeners(settings, deployment.machine)
        for protocol, port in dict.fromkeys((one.protocol, one.port) for one in asked):
            yield PublicPort(protocol, port, f"{words[port]} (TURN)")
        ports = settings.turn_relay_ports
        yield PublicPort(Protocol.UDP, ports[0], "relayed calls", ports[-1])

    def check(self, deployment: Deployment) -> Check:
        """Ask the running relay for a port, as a client does: it may run and have none."""
        from appliance.turn import question  # nothing of a boot

        listener = turn_listeners(deployment.settings, deployment.machine)[0]
        return question.ask(listener, deployment.credentials[SECRET])


PART = Coturn()
