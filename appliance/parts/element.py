"""Element, the web client: static files that nginx serves at `chat.DOMAIN`, and its configuration.

Its defaults lead to other people's servers; ours lead to none.
"""

import base64
import gzip
import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from appliance.custom import Merged, merge, merge_owned_json
from appliance.errors import Problem
from appliance.files import Directory, Entry, File
from appliance.listeners import client_address
from appliance.machine import Machine
from appliance.parts import rtc
from appliance.parts.contract import Deployment, Part, Probe, Program
from appliance.paths import NGINX
from appliance.probe import HttpProbe
from appliance.render import render_template
from appliance.settings import Settings

COMPONENT = "element-web"
STATIC = Path("/usr/share/element")
CUSTOM = "/data/custom/element/config.json"
CONFIGURATION = "/run/element"

# Keys of config.json that a variable decides, or without which Element is another server's.
OWNED_KEYS = {
    "default_server_config": "set MATRIX_DOMAIN or MATRIX_PUBLIC_BASE_URL",
    "default_server_name": "set MATRIX_SERVER_NAME",
    "default_hs_url": "set MATRIX_DOMAIN or MATRIX_PUBLIC_BASE_URL",
    "default_is_url": "the appliance uses no identity server",
    "permalink_prefix": "set MATRIX_WEB_CLIENT_LOCATION",
    "brand": "set MATRIX_BRAND",
    "default_country_code": "set MATRIX_DEFAULT_COUNTRY_CODE",
}

# All that config.json says of calls, by what carries them: no button leads to a call that cannot
# connect, and none to another server (docs/decisions/014-livekit.md).
_CALLS: dict[str, Any] = {
    # The first for Element before 1.12.24, which else offers a call of three on somebody's Jitsi.
    "features": {"feature_group_calls": True},
    "element_call": {"use_exclusively": True},
}
# Element 1.12.24 and later would offer Element Call by themselves.
_NO_ELEMENT_CALL: dict[str, Any] = {"element_call": {"disable": True}}
# Of two people alone, through the relay: no button in a room of three, which would lead to Jitsi.
_ONE_TO_ONE_CALLS = {**_NO_ELEMENT_CALL, "setting_defaults": {"UIFeature.widgets": False}}
_NO_CALLS = {**_NO_ELEMENT_CALL, "setting_defaults": {"UIFeature.voip": False}}

_INLINE_SCRIPT = re.compile(rb"<script(?![^>]*\ssrc=)[^>]*>(.+?)</script>", re.DOTALL)


class Element(Part):
    """The web client."""

    name = "element"
    order = 21

    def enabled(self, settings: Settings, machine: Machine) -> bool:
        """Return whether it was asked for, or is there and was not declined."""
        if settings.element is None:
            return machine.component(COMPONENT).present
        return bool(settings.element)

    def files(self, deployment: Deployment) -> Iterable[Entry]:
        """Return its configuration and its server in nginx's."""
        return (
            Directory(CONFIGURATION),
            File(f"{CONFIGURATION}/config.json", _configure(deployment).text),
            File(f"{CONFIGURATION}/element-call.json", _configure_element_call(deployment)),
            server(deployment, NGINX),
        )

    def problems(self, deployment: Deployment) -> Iterator[Problem]:
        """Yield its absence where it was asked for, and what is wrong with the owner's file."""
        component = deployment.machine.component(COMPONENT)
        if not component.present:
            yield Problem(
                "MATRIX_ELEMENT",
                f"is yes, but this image holds no Element ({component.reason}): build it again "
                "where its release can be downloaded, or put the tarball of that release under "
                "artifacts/ and build again",
            )
        yield from _configure(deployment).problems

    def programs(self, deployment: Deployment) -> Iterable[Program]:
        """Return nothing: nginx serves it."""
        del deployment
        return ()

    def probes(self, deployment: Deployment) -> Iterable[Probe]:
        """Return a visit."""
        settings = deployment.settings
        address = client_address(settings, deployment.machine)
        return (HttpProbe(address, "/config.json", settings.chat_host, settings.tls),)


def server(deployment: Deployment, directory: str) -> File:
    """Return its server for an nginx that has its configuration in this directory."""
    text = render_template(
        "run/nginx/servers.d/element.conf.j2",
        settings=deployment.settings,
        directory=directory,
        static=str(STATIC),
        configuration=CONFIGURATION,
        secure=deployment.settings.base_url.startswith("https://"),
        widget_scripts=hash_inline_scripts(STATIC / "widgets/element-call/index.html"),
    )
    return File(f"{directory}/servers.d/element.conf", text)


def hash_inline_scripts(page: Path) -> list[str]:
    """Return the inline scripts of a page as a Content-Security-Policy names them.

    The page may be there in compressed form only, or not at all.
    """
    scripts = _INLINE_SCRIPT.findall(_read(page) or b"")
    digests = (hashlib.sha256(script).digest() for script in scripts)
    return [f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests]


def _read(file: Path) -> bytes | None:
    """Return one of its static files, which may be there in compressed form only."""
    compressed = file.with_name(f"{file.name}.gz")
    if file.exists():
        return file.read_bytes()
    return gzip.decompress(compressed.read_bytes()) if compressed.exists() else None


def _configure(deployment: Deployment) -> Merged:
    settings = deployment.settings
    text = render_template(
        "run/element/config.json.j2",
        settings=settings,
        chat_address=urlsplit(settings.chat_url).netloc,
    )
    ours = merge(json.loads(text), _choose_calls(deployment))
    return merge_owned_json(ours, CUSTOM, OWNED_KEYS)


def _choose_calls(deployment: Deployment) -> dict[str, Any]:
    if rtc.PART.enabled(deployment.settings, deployment.machine):
        return _CALLS
    return _ONE_TO_ONE_CALLS if deployment.settings.turn else _NO_CALLS


def _configure_element_call(deployment: Deployment) -> str:
    """Return the configuration of the Element Call in Element: as shipped, with our service.

    By http, in the trial, it is the only place where clients find it.
    """
    configuration = json.loads(_read(STATIC / "widgets/element-call/config.json") or "{}")
    if service := rtc.service_url(deployment.settings, deployment.machine):
        configuration["livekit"] = {"livekit_service_url": service}
    return json.dumps(configuration, indent=2) + "\n"


PART = Element()
