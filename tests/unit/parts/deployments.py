"""Deployments to render parts for, without a boot."""

from appliance import settings
from appliance.credentials import Credentials
from appliance.files import File
from appliance.machine import Component, Machine
from appliance.parts.contract import Deployment, Part

LAN = {"MATRIX_DOMAIN": "home.lan", "MATRIX_TLS_MODE": "self-signed"}
PROXY = {"MATRIX_DOMAIN": "example.org", "MATRIX_TLS_MODE": "proxy"}
SECRETS = Credentials({"livekit_secret": "5ec2e7" * 10})
FILES = {
    "MATRIX_DOMAIN": "example.org",
    "MATRIX_TLS_MODE": "files",
    "MATRIX_TLS_CERTIFICATE_PATH": "/c/fullchain.pem",
    "MATRIX_TLS_KEY_PATH": "/c/privkey.pem",
}


def deployment(
    environment: dict[str, str] | None = None,
    *,
    element: bool = True,
    livekit: bool = True,
    ipv6: bool = True,
) -> Deployment:
    held = {"element-web": element, "livekit": livekit, "mautrix-whatsapp": True}
    components = tuple(Component(name, "1.0.0", "built") for name in held if held[name])
    machine = Machine(2, 8 * 1024**3, False, ipv6=ipv6, jemalloc=True, components=components)
    return Deployment(settings.load(environment or {}), SECRETS, machine)


def texts(part: Part, of: Deployment) -> dict[str, str]:
    """Return the content of every file of a part, by its path."""
    return {entry.path: entry.content for entry in part.files(of) if isinstance(entry, File)}
