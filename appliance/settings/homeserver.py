"""What the homeserver allows: accounts, federation, history, media, searches."""

from collections.abc import Iterator
from enum import StrEnum
from ipaddress import ip_network
from typing import Any

from pydantic import BaseModel, SecretStr

from appliance.errors import Problem
from appliance.settings.domain import is_trial
from appliance.settings.types import (
    Boolean,
    Duration,
    KeyServers,
    Network,
    Networks,
    ServerNames,
    Size,
    Url,
    variable,
)

# Ranges that Synapse must never fetch from for a stranger: every special-purpose block.
# Source: IANA IPv4 and IPv6 Special-Purpose Address Registries.
_SPECIAL_RANGES = """
    0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24
    192.0.2.0/24 192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24
    224.0.0.0/4 240.0.0.0/4
    ::/128 ::1/128 64:ff9b:1::/48 100::/64 2001:2::/48 2001:db8::/32 2002::/16 3fff::/20 fc00::/7
    fe80::/10 fec0::/10 ff00::/8
"""
DENIED_RANGES: tuple[Network, ...] = tuple(map(ip_network, _SPECIAL_RANGES.split()))


class Registration(StrEnum):
    """Who may make an account without an administrator."""

    CLOSED = "closed"
    TOKEN = "token"  # noqa: S105 - a mode, not a secret
    OPEN = "open"


class Federation(StrEnum):
    """Which other servers this one talks to."""

    ON = "on"
    OFF = "off"
    ALLOWLIST = "allowlist"


class LogLevel(StrEnum):
    """How much Synapse says."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


def _private_trial(values: dict[str, Any]) -> bool:
    listen = values["listen"]
    return is_trial(values) and all(address.is_loopback for address in listen)


class HomeserverSettings(BaseModel):
    """Variables about Synapse."""

    public_base_url: Url | None = variable(
        None,
        help="The address of the client API as clients see it, where it is not "
        "`https://matrix.DOMAIN` (a port forwarded under another number, say).",
        default_text="from the domain, the TLS mode and the port",
    )
    registration: Registration = variable(
        derived=lambda values: Registration.OPEN if _private_trial(values) else Registration.TOKEN,
        help="Who may make an account without you: nobody (`closed`), whoever has a token "
        "(`token`) or anybody (`open`).",
        default_text="`open` in a trial that listens on loopback only, else `token`",
    )
    admin_invite: Boolean = variable(
        False,
        help="Whether to log, at the first boot only, one link by which the first administrator "
        "joins: for a machine with nobody at its shell. Whoever reads the log can use it, once.",
        default_text="`no`",
    )
    rules: str | None = variable(
        None,
        help="What people agree to on the page on which they join, as plain text; paragraphs and "
        "line breaks are kept (`MATRIX_RULES_FILE` names a file with it).",
        default_text="none",
        min_length=1,
        max_length=20000,
    )
    registration_shared_secret: SecretStr | None = variable(
        None,
        help="Secret with which programs make accounts through Synapse's shared-secret "
        "registration (reachable where `MATRIX_ADMIN_API_RANGES` allows).",
        default_text="made at the first boot",
        secret=True,
        min_length=16,
    )
    rate_limits: Boolean = variable(
        derived=lambda values: not _private_trial(values),
        help="Whether Synapse slows down whoever registers, logs in or sends too often.",
        default_text="`no` in a trial that listens on loopback only, else `yes`",
    )
    federation: Federation = variable(
        derived=lambda values: Federation.OFF if is_trial(values) else Federation.ON,
        help="Whether to talk to other servers: all (`on`), none (`off`) or those named in "
        "`MATRIX_FEDERATION_ALLOWLIST` (`allowlist`).",
        default_text="`off` in the trial, else `on`",
    )
    federation_allowlist: ServerNames = variable(
        (),
        help="The servers to talk to. Required when `MATRIX_FEDERATION=allowlist`.",
        default_text="none",
    )
    denied_ranges: Networks = variable(
        DENIED_RANGES,
        help="Addresses that Synapse never connects to for others (federation, URL previews, "
        "pushes): every private and special range. Giving it replaces the list.",
        default_text="every private and special-purpose range",
    )
    trusted_key_servers: KeyServers = variable(
        derived=lambda values: () if values["federation"] is Federation.OFF else ("matrix.org",),
        help="Servers that vouch for the signing keys of others. With `none` each other server "
        "vouches for itself alone.",
        default_text="`matrix.org`; none when federation is off",
    )
    retention: Boolean = variable(
        True, help="Whether a room may have a retention policy of its own."
    )
    retention_default: Duration | None = variable(
        None,
        help="Delete messages older than this in every room without a policy of its own. Without "
        "it nothing is deleted.",
        default_text="none: history is kept",
    )
    max_upload_size: Size = variable(
        100 * 1024**2,
        help="The largest file that may be uploaded.",
        default_text="`100M`",
        ge=1024**2,
        le=10 * 1024**3,
    )
    url_previews: Boolean = variable(
        False,
        help="Whether Synapse fetches pages that people link to, to show a preview (not in "
        "encrypted rooms).",
        default_text="`no`",
    )
    user_directory_search_all: Boolean = variable(
        False,
        help="Whether people find every account of this server by name, or only those they share a "
        "room with.",
        default_text="`no`",
    )
    room_list_publication: Boolean = variable(
        True,
        help="Whether people may list their rooms in this server's room directory, where everybody "
        "with an account here finds them.",
    )
    log_level: LogLevel = variable(
        LogLevel.WARNING, help="How much Synapse logs.", default_text="`warning`"
    )

    def problems(self) -> Iterator[Problem]:
        """Yield combinations that contradict each other."""
        if self.admin_invite and self.registration is not Registration.TOKEN:
            yield Problem(
                "MATRIX_ADMIN_INVITE",
                f"has no effect when MATRIX_REGISTRATION is {self.registration}: set it to token, "
                "or make the administrator yourself (appliance user add NAME --admin)",
            )
        allowlist = self.federation is Federation.ALLOWLIST
        if allowlist and not self.federation_allowlist:
            yield Problem(
                "MATRIX_FEDERATION_ALLOWLIST", "is required when MATRIX_FEDERATION=allowlist"
            )
        if self.federation_allowlist and not allowlist:
            yield Problem(
                "MATRIX_FEDERATION_ALLOWLIST",
                f"has no effect when MATRIX_FEDERATION={self.federation}: set "
                "MATRIX_FEDERATION=allowlist or leave it out",
            )
        if self.retention_default is not None and not self.retention:
            yield Problem("MATRIX_RETENTION_DEFAULT", "has no effect when MATRIX_RETENTION is no")
