"""The MatrixRTC authorization service (`appliance/rtc`): who may join which call.

Faces the internet through nginx, as a user who has LiveKit's key and its own jobs, nothing else.
"""

import json
from collections.abc import Iterable

from appliance.files import Directory, Entry, File
from appliance.launch import later
from appliance.machine import Machine
from appliance.parts import livekit
from appliance.parts.contract import Deployment, Part, Probe, Program
from appliance.paths import CALLS, NGINX, RTC, RTC_SOCKET
from appliance.probe import HttpProbe
from appliance.render import render_template
from appliance.settings import Federation, Settings
from appliance.settings.network import LOOPBACK

PUBLIC_PATH = "/livekit/jwt"


class Rtc(Part):
    """The authorization service."""

    name = "rtc"
    order = 31

    def enabled(self, settings: Settings, machine: Machine) -> bool:
        """Return whether there are calls."""
        return livekit.PART.enabled(settings, machine)

    def files(self, deployment: Deployment) -> Iterable[Entry]:
        """Return its configuration, LiveKit's key, and its way in through nginx."""
        secret = deployment.credentials[livekit.SECRET]
        return (
            Directory(RTC, "root", "rtc", 0o750),
            Directory("/run/rtc-sockets", "rtc", "nginx", 0o750, fresh=True),
            Directory(CALLS, "rtc", "rtc", 0o700, whole_tree=True),
            File(f"{RTC}/configuration.json", _configure(deployment.settings)),
            File(f"{RTC}/livekit_secret", f"{secret}\n", "root", "rtc", 0o640, secret=True),
            *_nginx_files(deployment.settings),
        )

    def programs(self, deployment: Deployment) -> Iterable[Program]:
        """Return the service."""
        synapse = f"{LOOPBACK[0]}:{deployment.settings.synapse_port}"
        wait = later.build_command(synapse, RTC_SOCKET)
        return (Program("rtc", (*wait, "python", "-m", "appliance.rtc"), "rtc"),)

    def probes(self, deployment: Deployment) -> Iterable[Probe]:
        """Return its own question of health."""
        del deployment
        return (HttpProbe(RTC_SOCKET, "/healthz"),)


PART = Rtc()


def service_url(settings: Settings, machine: Machine) -> str | None:
    """Return where clients find the service, None where there are no calls.

    The one value of all places in which clients look for it.
    """
    return f"{settings.base_url}{PUBLIC_PATH}" if PART.enabled(settings, machine) else None


def _configure(settings: Settings) -> str:
    allowed = {
        Federation.ON: None,
        Federation.OFF: [],
        Federation.ALLOWLIST: settings.federation_allowlist,
    }[settings.federation]
    values = {
        "server_name": settings.server_name,
        "homeserver": f"http://{LOOPBACK[0]}:{settings.synapse_port}",
        "livekit": f"http://{LOOPBACK[0]}:{settings.livekit_port}",
        "livekit_key": livekit.KEY,
        "public_livekit": livekit.describe_public_url(settings),
        "allowed_servers": allowed,
        "denied_ranges": [str(network) for network in settings.denied_ranges],
    }
    return json.dumps(values, indent=2) + "\n"


def _nginx_files(settings: Settings) -> Iterable[File]:
    for name in ("matrix.d/rtc.conf", "local.d/rtc.conf"):
        text = render_template(
            f"run/nginx/{name}.j2",
            settings=settings,
            path=PUBLIC_PATH,
            socket=RTC_SOCKET,
            directory=NGINX,
        )
        yield File(f"{NGINX}/{name}", text)
