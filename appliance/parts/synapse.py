"""Synapse, the homeserver, on a Unix socket behind nginx."""

import secrets
from collections.abc import Iterable, Iterator
from typing import Any

from appliance import databases
from appliance.credentials import Credential
from appliance.custom import merge_owned_yaml
from appliance.errors import Problem
from appliance.files import Directory, Entry, File
from appliance.launch.synapse import EXTERNAL_DATABASE
from appliance.machine import JEMALLOC
from appliance.parts import coturn, rtc
from appliance.parts.contract import Deployment, Part, Program
from appliance.paths import REGISTRATIONS, SYNAPSE_SOCKET
from appliance.probe import HttpProbe, Probe
from appliance.render import render_template
from appliance.settings import Federation, Registration, Settings

CONFIGURATION = "/run/synapse"
CUSTOM = "/data/custom/synapse"
# Where an upload is while it comes in: /tmp may be memory.
UPLOADS = "/data/synapse/uploads"
TEMPLATE = "run/synapse/homeserver.yaml.j2"

# Top-level keys of homeserver.yaml that a variable decides, or that hold the appliance together.
OWNED_KEYS: dict[str, str] = {
    "server_name": "set MATRIX_SERVER_NAME",
    "public_baseurl": "set MATRIX_PUBLIC_BASE_URL",
    "web_client_location": "set MATRIX_WEB_CLIENT_LOCATION",
    "registration_shared_secret": "set MATRIX_REGISTRATION_SHARED_SECRET",
    "registration_shared_secret_path": "set MATRIX_REGISTRATION_SHARED_SECRET_FILE",
    "trusted_key_servers": "set MATRIX_TRUSTED_KEY_SERVERS",
    "enable_registration": "set MATRIX_REGISTRATION",
    "enable_registration_without_verification": "set MATRIX_REGISTRATION",
    "registration_requires_token": "set MATRIX_REGISTRATION",
    "federation_domain_whitelist": "set MATRIX_FEDERATION and MATRIX_FEDERATION_ALLOWLIST",
    "ip_range_blacklist": "set MATRIX_DENIED_RANGES",
    "url_preview_ip_range_blacklist": "set MATRIX_DENIED_RANGES",
    "url_preview_enabled": "set MATRIX_URL_PREVIEWS",
    "max_upload_size": "set MATRIX_MAX_UPLOAD_SIZE",
    "log_config": "set MATRIX_LOG_LEVEL",
    "listeners": "the appliance decides where Synapse listens",
    "database": "the appliance decides where Synapse's database is",
    "media_store_path": "media live in /data/synapse/media",
    "signing_key_path": "the key lives in /data/credentials/synapse_signing_key",
    "signing_key": "the key lives in /data/credentials/synapse_signing_key",
    "macaroon_secret_key": "it lives in /data/credentials/synapse_macaroon_secret",
    "macaroon_secret_key_path": "it lives in /data/credentials/synapse_macaroon_secret",
    "form_secret": "it lives in /data/credentials/synapse_form_secret",
    "form_secret_path": "it lives in /data/credentials/synapse_form_secret",
    "app_service_config_files": "name bridges in MATRIX_BRIDGES",
    "turn_uris": "set MATRIX_TURN and the other MATRIX_TURN_ variables",
    "turn_shared_secret": "it lives in /data/credentials/turn_shared_secret",
    "turn_shared_secret_path": "it lives in /data/credentials/turn_shared_secret",
    "turn_username": "the relay takes time-limited credentials alone",
    "turn_password": "the relay takes time-limited credentials alone",
    "turn_user_lifetime": "set MATRIX_TURN_CREDENTIALS_LIFETIME",
    "pid_file": "the appliance decides it",
    "daemonize": "supervisor needs Synapse in the foreground",
    "serve_server_wellknown": "nginx serves well-known",
    "report_stats": "the appliance sends no telemetry",
    "matrix_rtc": "set MATRIX_CALLS",
}
OWNED_SECTIONS: dict[tuple[str, str], str] = {
    ("retention", "enabled"): "set MATRIX_RETENTION",
    ("retention", "default_policy"): "set MATRIX_RETENTION_DEFAULT",
    ("user_directory", "search_all_users"): "set MATRIX_USER_DIRECTORY_SEARCH_ALL",
}

# Source: Synapse 1.163 documentation, "Ratelimiting"; those that people meet.
_UNLIMITED = {"per_second": 10000, "burst_count": 10000}
_RATE_LIMITS: dict[str, Any] = {
    "of_address": (
        *("rc_message", "rc_registration", "rc_media_create", "rc_3pid_validation"),
        "rc_delayed_event_mgmt",
    ),
    "by_kind": {
        "rc_login": ("address", "account", "failed_attempts"),
        "rc_joins": ("local", "remote"),
        "rc_invites": ("per_room", "per_user", "per_issuer"),
    },
}

# What it takes to change a new room, the whole lists: one of ours replaces Synapse's own.
# Source: Synapse 1.163, synapse/handlers/room.py; the last one MSC3401.
_ROOM_POWERS = {
    "m.room.name": 50,
    "m.room.canonical_alias": 50,
    "m.room.avatar": 50,
    "m.room.power_levels": 100,
    "m.room.history_visibility": 100,
    "m.room.tombstone": 100,
    "m.room.server_acl": 100,
    "m.room.encryption": 100,
    "org.matrix.msc3401.call.member": 0,
}
_POWERS = {
    "private_chat": _ROOM_POWERS,
    "trusted_private_chat": _ROOM_POWERS,
    "public_chat": {**_ROOM_POWERS, "m.call.invite": 50},
}

# Source: the installed source of Synapse 1.163; a key that it does not know is ignored in silence.
_CALL_FEATURES = {"msc4143_enabled": True, "msc4222_enabled": True}
# What a bridge that encrypts needs to hear of devices (encryption.appservice).
_BRIDGE_FEATURES = {
    "msc3202_transaction_extensions": True,
    "msc2409_to_device_messages_enabled": True,
}


def make_signing_key() -> str:
    """Return a new signing key as Synapse's own `generate_signing_key` makes it."""
    from signedjson.key import (
        encode_signing_key_base64,
        generate_signing_key,
    )

    key = generate_signing_key(f"a_{secrets.token_hex(2)}")
    return f"{key.alg} {key.version} {encode_signing_key_base64(key)}"


class Synapse(Part):
    """The homeserver."""

    name = "synapse"
    order = 5
    essential = True
    databases = ("synapse",)
    credentials = (
        Credential("synapse_signing_key", make_signing_key, irreplaceable=True),
        Credential("synapse_macaroon_secret"),
        Credential("synapse_form_secret"),
        Credential("registration_shared_secret"),
        Credential("admin_password"),
    )

    def problems(self, deployment: Deployment) -> Iterator[Problem]:
        """Yield what is wrong with the owner's YAML."""
        del deployment
        yield from merge_owned_yaml("", CUSTOM, OWNED_KEYS, OWNED_SECTIONS).problems

    def files(self, deployment: Deployment) -> Iterable[Entry]:
        """Return the configuration, the owner's own merged in."""
        settings, credentials = deployment.settings, deployment.credentials
        text = render_template(TEMPLATE, **_template_values(deployment))
        merged = merge_owned_yaml(text, CUSTOM, OWNED_KEYS, OWNED_SECTIONS)
        given = settings.registration_shared_secret
        shared_secret = (
            given.get_secret_value() if given else credentials["registration_shared_secret"]
        )
        return (
            Directory("/data/synapse", "synapse", "synapse", 0o750),
            Directory("/data/synapse/media", "synapse", "synapse", 0o750, whole_tree=True),
            Directory(UPLOADS, "synapse", "synapse", 0o700, fresh=True),
            Directory("/run/synapse-sockets", "synapse", "nginx", 0o750, fresh=True),
            Directory(CONFIGURATION, "root", "synapse", 0o750),
            Directory(REGISTRATIONS, "root", "synapse", 0o750, fresh=True),
            # No secret of ours is in it; what the owner merged into it may be one.
            _private_file("homeserver.yaml", merged.text, secret=merged.text != text),
            _private_file("signing.key", credentials["synapse_signing_key"] + "\n"),
            _private_file("macaroon_secret", credentials["synapse_macaroon_secret"] + "\n"),
            _private_file("form_secret", credentials["synapse_form_secret"] + "\n"),
            _private_file("registration_shared_secret", shared_secret + "\n"),
            *_turn_secret(deployment),
            File(
                f"{CONFIGURATION}/log.yaml",
                render_template(
                    "run/synapse/log.yaml.j2",
                    settings=settings,
                    appservices=deployment.appservices,
                ),
            ),
        )

    def programs(self, deployment: Deployment) -> Iterable[Program]:
        """Return Synapse, with jemalloc where it loads (not every page size suits it)."""
        environment = {"TMPDIR": UPLOADS}
        if deployment.machine.jemalloc:
            environment["LD_PRELOAD"] = JEMALLOC
        if deployment.settings.postgres_url:
            environment[EXTERNAL_DATABASE] = databases.locate(
                deployment.settings, "synapse"
            ).conninfo
        return (
            Program(
                "synapse",
                (
                    "python",
                    "-m",
                    "appliance.launch.synapse",
                    "-c",
                    f"{CONFIGURATION}/homeserver.yaml",
                ),
                "synapse",
                environment=environment,
            ),
        )

    def probes(self, deployment: Deployment) -> Iterable[Probe]:
        """Return a question over the socket."""
        del deployment
        return (HttpProbe(SYNAPSE_SOCKET, "/health"),)


def _template_values(deployment: Deployment) -> dict[str, Any]:
    settings = deployment.settings
    calls = rtc.service_url(settings, deployment.machine)
    allowlist = {
        Federation.ON: None,
        Federation.OFF: (),
        Federation.ALLOWLIST: settings.federation_allowlist,
    }[settings.federation]
    federated = settings.federation is not Federation.OFF
    return {
        "settings": settings,
        "socket": SYNAPSE_SOCKET,
        "database": databases.locate(settings, "synapse").options,
        "resources": ("client", "federation" if federated else "openid"),
        "trusted_key_servers": [{"server_name": name} for name in settings.trusted_key_servers],
        "denied_ranges": [str(network) for network in settings.denied_ranges],
        "federation_allowlist": allowlist,
        "turn_uris": _turn_uris(settings),
        "registration": {
            "enabled": settings.registration is not Registration.CLOSED,
            "open": settings.registration is Registration.OPEN,
            "token": settings.registration is Registration.TOKEN,
        },
        "registrations": [f"{REGISTRATIONS}/{name}.yaml" for name in deployment.appservices],
        "calls": calls,
        "features": {
            **(_CALL_FEATURES if calls else {}),
            **(_BRIDGE_FEATURES if deployment.appservices else {}),
        },
        "powers": _POWERS,
        "rate_limits": _RATE_LIMITS,
        "unlimited": _UNLIMITED,
    }


def _turn_uris(settings: Settings) -> list[str]:
    """Return the addresses of the relay, in the order in which clients should prefer them."""
    plain = f"turn:{settings.turn_host}:{settings.turn_port}"
    secure = f"turns:{settings.turn_host}:{settings.turn_tls_port}"
    addresses = (plain, secure) if settings.tls else (plain,)
    return [f"{one}?transport={transport}" for one in addresses for transport in ("udp", "tcp")]


def _turn_secret(deployment: Deployment) -> Iterator[File]:
    """Yield what Synapse makes its users' credentials for the relay with."""
    if deployment.settings.turn:
        yield _private_file("turn_shared_secret", deployment.credentials[coturn.SECRET] + "\n")


def _private_file(name: str, content: str, *, secret: bool = True) -> File:
    return File(f"{CONFIGURATION}/{name}", content, "root", "synapse", 0o640, secret=secret)


PART = Synapse()
