"""LiveKit: the server through which calls of Element Call and Element X go.

On loopback behind nginx, of which only what callers need passes; its media ports are its own.
"""

from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from appliance import ports, probe
from appliance.credentials import Credential
from appliance.errors import Problem
from appliance.files import Directory, Entry, File
from appliance.launch import later
from appliance.launch.livekit import FOLLOW, PID_FILE
from appliance.listeners import Listener, Protocol
from appliance.machine import Machine
from appliance.parts.contract import Deployment, Part, Probe, Program, PublicPort
from appliance.paths import LIVEKIT, LIVEKIT_HEALTH, NGINX
from appliance.probe import HttpProbe
from appliance.render import render_template
from appliance.settings import Settings
from appliance.settings.network import LOOPBACK

COMPONENT = "livekit"
KEY = "appliance"
SECRET = "livekit_secret"  # noqa: S105 - the name of a credential
PUBLIC_PATH = "/livekit/sfu"
KEY_FILE = f"{LIVEKIT}/keys.yaml"
# Where nobody answers (RFC 863), on the caller's own machine. LiveKit's own port will not do:
# a browser takes whatever comes from the address of a STUN server for an answer of that server,
# and so never hears of the media.
_NO_STUN_SERVER = "127.0.0.1:9"
# It holds 90 MiB of it at rest, and as much again for a call of two with pictures.
_LEAST_MEMORY_BYTES = 512 * 1024**2


class LiveKit(Part):
    """The media server."""

    name = "livekit"
    order = 30
    credentials = (Credential(SECRET),)

    def enabled(self, settings: Settings, machine: Machine) -> bool:
        """Return whether calls were asked for, or can be and were not declined."""
        if settings.calls is None:
            return machine.component(COMPONENT).present
        return bool(settings.calls)

    def problems(self, deployment: Deployment) -> Iterator[Problem]:
        """Yield its absence where it was asked for, and ports that cannot be had."""
        component = deployment.machine.component(COMPONENT)
        if not component.present:
            yield Problem(
                "MATRIX_CALLS",
                f"is on, but this image holds no LiveKit ({component.reason}): build it again "
                "where its Go modules can be downloaded, or leave MATRIX_CALLS out",
            )
        if not ports.is_running(COMPONENT, str(PID_FILE)):
            yield from ports.problems(_listeners(deployment))

    def files(self, deployment: Deployment) -> Iterable[Entry]:
        """Return its configuration, its key, and what of it nginx lets through."""
        secret = deployment.credentials[SECRET]
        return (
            Directory(LIVEKIT),
            Directory(str(PID_FILE.parent), "livekit", "livekit", fresh=True),
            File(LIVEKIT_HEALTH, probe.to_json({self.name: self.probes(deployment)})),
            File(f"{LIVEKIT}/livekit.yaml", _configure(deployment)),
            File(KEY_FILE, f"{KEY}: {secret}\n", "root", "livekit", 0o640, secret=True),
            *_nginx_files(deployment),
        )

    def programs(self, deployment: Deployment) -> Iterable[Program]:
        """Return it, to be stopped by a kill.

        Told to end it waits until every caller has hung up; callers whose server is killed come
        back to the next one.
        """
        settings = deployment.settings
        addresses = [str(address) for address in settings.given_public_ips]
        if not settings.listens_beyond_loopback:
            addresses = [str(LOOPBACK[0])]
        elif settings.follows_public_ip:
            addresses = [FOLLOW]
        synapse = f"{LOOPBACK[0]}:{settings.synapse_port}"
        wait = later.build_command(synapse, str(PID_FILE))
        most = max(_LEAST_MEMORY_BYTES, deployment.machine.memory_bytes // 2)
        command = (*wait, "python", "-m", "appliance.launch.livekit", str(most), *addresses)
        return (Program("livekit", command, "livekit", stop_signal="KILL"),)

    def public_ports(self, deployment: Deployment) -> Iterable[PublicPort]:
        """Return the ports of media."""
        settings = deployment.settings
        yield PublicPort(Protocol.UDP, settings.livekit_udp_port, "Element Call")
        if any(address.is_unspecified for address in settings.listen):
            yield PublicPort(Protocol.TCP, settings.livekit_tcp_port, "Element Call without UDP")

    def probes(self, deployment: Deployment) -> Iterable[Probe]:
        """Return its own question of health."""
        return (HttpProbe(f"{LOOPBACK[0]}:{deployment.settings.livekit_port}", "/"),)


PART = LiveKit()


def describe_public_url(settings: Settings) -> str:
    """Return where callers reach LiveKit."""
    address = urlsplit(settings.base_url)
    scheme = "wss" if address.scheme == "https" else "ws"
    return f"{scheme}://{address.netloc}{address.path}{PUBLIC_PATH}"


def _configure(deployment: Deployment) -> str:
    settings, machine = deployment.settings, deployment.machine
    loopback = not settings.listens_beyond_loopback
    everywhere = {address.version for address in settings.listen if address.is_unspecified}
    networks = [
        f"{address}/{0 if address.is_unspecified else address.max_prefixlen}"
        for address in settings.listen
        if address.version == 4 or machine.ipv6
    ]
    return render_template(
        "run/livekit/livekit.yaml.j2",
        settings=settings,
        key_file=KEY_FILE,
        loopback=loopback,
        tcp=bool(everywhere),
        networks=[] if everywhere == {4, 6} else networks,
        stun_servers=[_choose_stun_server(settings)],
    )


def _choose_stun_server(settings: Settings) -> str:
    """Return our own relay, or where nobody answers: with none LiveKit names Google's."""
    if settings.turn:
        return f"{settings.turn_host}:{settings.turn_port}"
    return _NO_STUN_SERVER


def _nginx_files(deployment: Deployment) -> Iterator[File]:
    for name in ("servers.d/livekit.conf", "matrix.d/livekit.conf"):
        text = render_template(
            f"run/nginx/{name}.j2", settings=deployment.settings, path=PUBLIC_PATH, directory=NGINX
        )
        yield File(f"{NGINX}/{name}", text)


def _listeners(deployment: Deployment) -> Iterator[Listener]:
    """Yield its ports."""
    settings = deployment.settings
    yield Listener("MATRIX_LIVEKIT_PORT", LOOPBACK[0], settings.livekit_port)
    udp, tcp = settings.livekit_udp_port, settings.livekit_tcp_port
    for address in settings.listen:
        if address.version == 4 or deployment.machine.ipv6:
            yield Listener("MATRIX_LIVEKIT_UDP_PORT", address, udp, Protocol.UDP)
            if address.is_unspecified:
                yield Listener("MATRIX_LIVEKIT_TCP_PORT", address, tcp)
