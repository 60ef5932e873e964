"""nginx: the hosts of the appliance, and how much of Synapse is reachable.

Runs wholly as its own user. Other parts add to it by files of their own in `matrix.d` (locations of
the server's host), `chat.d` (of the web client's), `every.d` (of every host), `local.d` (for
programs of this machine) and `servers.d` (more hosts).
"""

import re
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from appliance import ports
from appliance.errors import CommandError, Problem
from appliance.files import Directory, Entry, File
from appliance.landing_texts import TRANSLATIONS
from appliance.listeners import (
    Listener,
    Protocol,
    bridge_listener,
    client_address,
    plain_listeners,
    tls_listeners,
)
from appliance.parts import element, rtc
from appliance.parts.contract import Deployment, Part, Probe, Program, PublicPort, TlsService
from appliance.paths import CHALLENGES, NGINX, NGINX_PID, SYNAPSE_SOCKET
from appliance.probe import HttpProbe
from appliance.process import run
from appliance.render import render_template
from appliance.settings import Federation, Settings, TlsMode
from appliance.settings.cloudflare_ranges import CLOUDFLARE_RANGES
from appliance.settings.proxy import LOOPBACK_NETWORKS
from appliance.settings.types import Address, Network
from appliance.well_known import DIRECTORY, render_documents

CUSTOM = Path("/data/custom/nginx")

_TEMPLATES = (
    *("nginx", "listen", "landing", "pages", "well-known", "api", "errors", "synapse", "headers"),
)
# More serve nobody at home, and each costs memory.
_MAXIMUM_WORKERS = 4
# In the trial, hosts that no page of the internet can have (DNS rebinding): addresses, and names
# without a dot, such as localhost or a container's.
_TRIAL_HOSTS = (r"~^[a-z0-9_-]+$", r"~^[0-9.]+$", r"~^\[[0-9a-f:.]+\]$")


class Nginx(Part):
    """The web server in front of Synapse and the web client."""

    name = "nginx"
    order = 20
    essential = True

    def problems(self, deployment: Deployment) -> Iterator[Problem]:
        """Yield ports that cannot be had, and snippets of the owner's that nginx refuses."""
        if not plain_listeners(deployment.settings, deployment.machine):
            yield Problem(
                "MATRIX_LISTEN", "has IPv6 addresses only, and the kernel has no IPv6: add another"
            )
        if not ports.is_running("nginx", NGINX_PID):  # as for `appliance check` beside it
            yield from ports.problems(_every_listener(deployment))
        for path in sorted(CUSTOM.glob("*")):
            if path not in _find_snippets():
                yield Problem(str(path), "is not read: only matrix.conf and chat.conf are")
        for path in _find_snippets():
            if complaint := _judge(path, deployment):
                yield Problem(str(path), complaint)

    def files(self, deployment: Deployment) -> Iterable[Entry]:
        """Return the configuration, well-known, and the owner's snippets as nginx can read them."""
        return (
            *_configure(deployment, NGINX),
            *(
                File(f"{NGINX}/{path.stem}.d/custom.conf", path.read_text(), "root", "nginx", 0o640)
                for path in _find_snippets()
            ),
            Directory(str(Path(DIRECTORY).parent)),
            Directory(DIRECTORY, fresh=True),
            *(
                File(f"{DIRECTORY}/{name}.json", text)
                for name, text in render_documents(
                    deployment.settings, rtc.service_url(deployment.settings, deployment.machine)
                ).items()
            ),
            *_challenges(deployment.settings),
        )

    def programs(self, deployment: Deployment) -> Iterable[Program]:
        """Return nginx, its master too as its own user."""
        launch = ("python", "-m", "appliance.launch.nginx")
        command = (*launch, "-e", "stderr", "-c", f"{NGINX}/nginx.conf")
        # On other ports it needs no capability, which a container may not have to give.
        low = any(listener.port < 1024 for listener in _every_listener(deployment))
        return (Program("nginx", command, "nginx", ports_below_1024=low),)

    def tls_services(self, deployment: Deployment) -> Iterable[TlsService]:
        """Return nginx with one address of each of its HTTPS ports, by IPv4 where it has it."""
        listeners = sorted(
            tls_listeners(deployment.settings, deployment.machine),
            key=lambda listener: -listener.address.version,
        )
        addresses = {listener.port: listener.reachable for listener in listeners}
        if addresses:
            yield TlsService("nginx", "nginx", "HUP", tuple(addresses.values()))

    def public_ports(self, deployment: Deployment) -> Iterable[PublicPort]:
        """Return the ports of HTTPS, and of the HTTP that leads there; without TLS that alone."""
        settings, machine = deployment.settings, deployment.machine
        if settings.behind_proxy:
            return  # which alone may ask us; its own ports are its owner's matter
        purposes = {
            settings.http_port: "the way to HTTPS" if settings.tls else "everything",
            settings.https_port: "clients and other servers",
            settings.federation_port: "other servers that cannot read well-known",
        }
        listeners = (*plain_listeners(settings, machine), *tls_listeners(settings, machine))
        for port in dict.fromkeys(listener.port for listener in listeners):
            yield PublicPort(Protocol.TCP, port, purposes[port])

    def probes(self, deployment: Deployment) -> Iterable[Probe]:
        """Return the first question of every client, at the port that clients use."""
        settings = deployment.settings
        address = client_address(settings, deployment.machine)
        host = settings.matrix_host
        return (HttpProbe(address, "/.well-known/matrix/client", host, settings.tls),)


def _every_listener(deployment: Deployment) -> tuple[Listener, ...]:
    settings, machine = deployment.settings, deployment.machine
    public = (*plain_listeners(settings, machine), *tls_listeners(settings, machine))
    return (*public, bridge_listener(settings))


def _configure(deployment: Deployment, directory: str) -> Iterator[Entry]:
    """Yield the configuration below a directory."""
    yield Directory(directory)
    yield Directory(f"{directory}/work", "nginx", "nginx", 0o700, fresh=True)
    for name in ("matrix.d", "chat.d", "every.d", "local.d", "servers.d"):
        yield Directory(f"{directory}/{name}", fresh=True)
    values = _template_values(deployment, directory)
    challenge = ("challenge",) if deployment.settings.answers_challenges else ()
    for name in (*_TEMPLATES, *challenge):
        text = render_template(f"run/nginx/{name}.conf.j2", **values)
        yield File(f"{directory}/{name}.conf", text)


def _template_values(deployment: Deployment, directory: str) -> dict[str, object]:
    settings, machine = deployment.settings, deployment.machine
    plain, tls = plain_listeners(settings, machine), tls_listeners(settings, machine)
    port = settings.https_port
    return {
        "settings": settings,
        "directory": directory,
        "socket": SYNAPSE_SOCKET,
        "challenges": CHALLENGES,
        "workers": min(machine.cores, _MAXIMUM_WORKERS),
        "plain_listeners": plain,
        "tls_listeners": tls,
        "bridge_listener": bridge_listener(settings),
        "matrix_hosts": (*_matrix_hosts(settings), *(_TRIAL_HOSTS if settings.trial else ())),
        "federated": settings.federation is not Federation.OFF,
        "element": element.PART.enabled(settings, machine),
        "languages": [language for language in TRANSLATIONS if language != "en"],
        "own_authority": settings.tls_mode is TlsMode.SELF_SIGNED,
        "cloudflare_ranges": CLOUDFLARE_RANGES if settings.behind_cloudflare else (),
        "served_peers": _served_peers(settings) if settings.behind_proxy else (),
        "https_port_suffix": "" if port == 443 else f":{port}",
    }


def _matrix_hosts(settings: Settings) -> list[str]:
    """Return the names of the server's host: ours, and the one that clients are told."""
    told = urlsplit(settings.base_url).hostname or settings.matrix_host
    return list(dict.fromkeys((settings.matrix_host, settings.synapse_host, told)))


def _served_peers(settings: Settings) -> list[Network | Address]:
    """Return who may come by plain HTTP behind another proxy: that one, and this machine itself."""
    own = [address for address in settings.listen if not address.is_unspecified]
    return list(dict.fromkeys((*settings.trusted_networks, *LOOPBACK_NETWORKS, *own)))


def _challenges(settings: Settings) -> Iterator[Entry]:
    """Yield the directory in which certbot puts what the authority asks for."""
    if settings.answers_challenges:
        for below in ("", "/.well-known", "/.well-known/acme-challenge"):
            yield Directory(f"{CHALLENGES}{below}", fresh=True)


def _find_snippets() -> list[Path]:
    """Return the owner's own directives, one file for each host."""
    return [path for path in (CUSTOM / "matrix.conf", CUSTOM / "chat.conf") if path.exists()]


def _judge(snippet: Path, deployment: Deployment) -> str | None:
    """Return what nginx has against a snippet of the owner's, None if it accepts it."""
    # Without TLS: before the first boot there is no certificate.
    settings = deployment.settings.model_copy(update={"tls_mode": TlsMode.OFF})
    tried = replace(deployment, settings=settings)
    with tempfile.TemporaryDirectory() as directory:
        for entry in (*_configure(tried, directory), element.server(tried, directory)):
            if isinstance(entry, Directory):
                Path(entry.path).mkdir(exist_ok=True)
            else:
                Path(entry.path).write_text(entry.content)
        copy = Path(directory, f"{snippet.stem}.d", "custom.conf")
        copy.write_text(snippet.read_text())
        try:
            run(("nginx", "-t", "-q", "-e", "stderr", "-c", f"{directory}/nginx.conf"))
        except CommandError as error:
            said = re.search(r"\[emerg\] (?:\d+#\d+: )?(.*)", str(error))
            complaint = said[1] if said else str(error)
            return f"nginx refuses it: {complaint.replace(str(copy), str(snippet))}"
    return None


PART = Nginx()
