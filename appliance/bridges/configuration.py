"""What a bridge and Synapse must know of each other, as text: from the same secrets. Pure."""

import re
from collections.abc import Iterable
from typing import Any

from appliance import databases
from appliance.bridges import posts
from appliance.bridges.catalogue import Bridge
from appliance.bridges.posts import Source
from appliance.credentials import Credentials
from appliance.listeners import Listener, bridge_listener
from appliance.render import render_template
from appliance.settings import Settings
from appliance.settings.network import LOOPBACK

SECRETS = ("as_token", "hs_token", "provisioning_secret", "pickle_key")
"""Of every bridge. The last one must never change: the bridge's keys are encrypted with it."""
DOUBLE_PUPPET_SECRETS = ("as_token", "hs_token")
DOUBLE_PUPPET = "doublepuppet"
_MAUTRIX = "run/bridges/mautrix.yaml.j2"
_REGISTRATIONS = "run/synapse/appservices"


def credential_name(owner: str, secret: str) -> str:
    """Return the name of a secret of a bridge, or of the double puppets."""
    return f"{owner}_{secret}"


def listener(bridge: Bridge, settings: Settings) -> Listener:
    """Return where Synapse, and the agent, reach a bridge."""
    port = settings.bridge_port + bridge.port_offset
    return Listener("MATRIX_BRIDGE_PORT", LOOPBACK[0], port)


def posts_listener(settings: Settings) -> Listener:
    """Return where bridges post how their log-ins are: at the agent."""
    return Listener("MATRIX_BRIDGE_PORT", LOOPBACK[0], settings.bridge_port)


def homeserver_address(settings: Settings) -> str:
    """Return the address and port at which a bridge reaches Synapse."""
    return str(bridge_listener(settings))


def render_configuration(bridge: Bridge, settings: Settings, credentials: Credentials) -> str:
    """Return a bridge's configuration, complete: it can add nothing to it."""
    own = listener(bridge, settings)
    database = databases.locate(settings, bridge.name)
    password = databases.find_password(settings, credentials, bridge.name)
    return render_template(
        _MAUTRIX,
        bridge=bridge,
        settings=settings,
        secrets={name: credentials[credential_name(bridge.name, name)] for name in SECRETS},
        double_puppet_token=credentials[credential_name(DOUBLE_PUPPET, "as_token")],
        network={key: _reveal(getattr(settings, field)) for key, field in bridge.network},
        permissions=_permissions(settings),
        homeserver=f"http://{homeserver_address(settings)}",
        status_endpoint=f"http://{posts_listener(settings)}{posts.PATH}",
        database_url=database.url(password),
        address=f"http://{own}",
        port=own.port,
    )


def render_posts(bridges: Iterable[Bridge], settings: Settings, credentials: Credentials) -> str:
    """Return where the agent listens to bridges, and how it knows them."""
    own = posts_listener(settings)
    known = [(one, credentials[credential_name(one.name, "as_token")]) for one in bridges]
    return Source.of(str(own.address), own.port, settings.server_name, known).to_json()


def render_registration(bridge: Bridge, settings: Settings, credentials: Credentials) -> str:
    """Return what Synapse must know of a bridge."""
    return render_template(
        f"{_REGISTRATIONS}/{bridge.framework}.yaml.j2",
        bridge=bridge,
        address=f"http://{listener(bridge, settings)}",
        media_url=settings.base_url,
        server=re.escape(settings.server_name),
        as_token=credentials[credential_name(bridge.name, "as_token")],
        hs_token=credentials[credential_name(bridge.name, "hs_token")],
    )


def render_double_puppets(settings: Settings, credentials: Credentials) -> str:
    """Return the registration with which bridges send as the users whose accounts they connect."""
    return render_template(
        f"{_REGISTRATIONS}/{DOUBLE_PUPPET}.yaml.j2",
        server=re.escape(settings.server_name),
        **{
            name: credentials[credential_name(DOUBLE_PUPPET, name)]
            for name in DOUBLE_PUPPET_SECRETS
        },
    )


def admin_ids(settings: Settings) -> list[str]:
    """Return the user IDs of those who may administer bridges."""
    return [
        name if name.startswith("@") else f"@{name}:{settings.server_name}"
        for name in settings.bridge_admins
    ]


def _permissions(settings: Settings) -> dict[str, str]:
    """Return who may do what: nobody of another server anything, not even through a relay."""
    return {settings.server_name: "user", **dict.fromkeys(admin_ids(settings), "admin")}


def _reveal(value: Any) -> Any:
    return value.get_secret_value() if hasattr(value, "get_secret_value") else value
