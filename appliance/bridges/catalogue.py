"""The table of bridges: one line each, and nothing that only one of them needs. Imports nothing.

What a line says is all there is of a bridge in the appliance: its part, settings and ports are made
from it.
"""

from dataclasses import dataclass
from enum import StrEnum


class Framework(StrEnum):
    """What a bridge is made with: its configuration and its registration follow from that."""

    MAUTRIX = "mautrix"
    HEISENBRIDGE = "heisenbridge"


@dataclass(frozen=True)
class Bridge:
    """A bridge. Its name is also that of its role, database and system user."""

    name: str
    title: str
    component: str
    port_offset: int
    """Its loopback port, counted from `MATRIX_BRIDGE_PORT`."""
    bot: str
    prefix: str = ""
    """What a command begins with outside the room with the bot alone."""
    network: tuple[tuple[str, str], ...] = ()
    """Keys of the section `network` of its configuration, each with the setting it needs."""
    how: str = ""
    """Where the owner gets what it needs."""
    ghost_prefix: str = ""
    framework: Framework = Framework.MAUTRIX

    @property
    def ghosts(self) -> str:
        """What the name of every user of its network begins with."""
        return self.ghost_prefix or f"{self.name}_"

    @property
    def first_message(self) -> str:
        """What its bot is to be told first."""
        return "login" if self.framework is Framework.MAUTRIX else "help"


_TELEGRAM = (("api_id", "telegram_api_id"), ("api_hash", "telegram_api_hash"))
_MY_TELEGRAM = "which you make at https://my.telegram.org/apps"
_OWNER = (("owner", "bridge_admins"),)
_FIRST_ADMIN = "the first of whom owns it"

CATALOGUE = (
    Bridge("whatsapp", "WhatsApp", "mautrix-whatsapp", 18, "whatsappbot", "!wa"),
    Bridge(
        *("telegram", "Telegram", "mautrix-telegram", 17, "telegrambot", "!tg"),
        *(_TELEGRAM, _MY_TELEGRAM),
    ),
    Bridge("gmessages", "Google Messages", "mautrix-gmessages", 36, "gmessagesbot", "!gm"),
    Bridge("bluesky", "Bluesky", "mautrix-bluesky", 40, "blueskybot", "!bsky"),
    Bridge("gvoice", "Google Voice", "mautrix-gvoice", 38, "gvoicebot", "!gv"),
    Bridge("linkedin", "LinkedIn", "mautrix-linkedin", 41, "linkedinbot", "!linkedin"),
    Bridge("zulip", "Zulip", "mautrix-zulip", 42, "zulipbot", "!zulip"),
    Bridge("facebook", "Facebook Messenger", "mautrix-meta", 19, "facebookbot", "!fb"),
    Bridge("instagram", "Instagram", "mautrix-instagram", 20, "instagrambot", "!ig"),
    Bridge("slack", "Slack", "mautrix-slack", 35, "slackbot", "!slack"),
    Bridge("twitter", "X (Twitter)", "mautrix-twitter", 27, "twitterbot", "!twitter"),
    Bridge(
        *("heisenbridge", "IRC", "heisenbridge", 43, "heisenbridge", ""),
        *(_OWNER, _FIRST_ADMIN, "irc_", Framework.HEISENBRIDGE),
    ),
)

DEFAULT = ("whatsapp", "telegram")
"""Those of a real deployment that names none."""


def find(name: str) -> Bridge:
    """Return a bridge by its name. Raise KeyError if there is none."""
    for bridge in CATALOGUE:
        if bridge.name == name:
            return bridge
    raise KeyError(name)
