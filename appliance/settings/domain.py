"""Who this server is: the domain, the server name and the addresses that follow from them."""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from appliance.errors import Problem
from appliance.settings.types import HostName, ServerName, variable

TRIAL_DOMAIN = "localhost"
NAMES_OF_OURS = ("matrix", "chat", "turn", "synapse")


def is_trial(values: dict[str, Any]) -> bool:
    """Return whether no domain was given: a private trial on this machine."""
    return bool(values["domain"] == TRIAL_DOMAIN)


class DomainSettings(BaseModel):
    """Variables that name the server."""

    domain: HostName = variable(
        TRIAL_DOMAIN,
        help="The domain that the server belongs to, such as `example.org`. Left out, the "
        "appliance is a private trial on this machine at `http://chat.localhost`.",
        default_text="`localhost` (the trial)",
    )
    server_name: ServerName = variable(
        derived=lambda values: f"matrix.{values['domain']}",
        help="The name in every user ID (`@alice:NAME`): `matrix.DOMAIN`, or `DOMAIN` itself. "
        "Fixed for ever at the first boot.",
        default_text="`matrix.DOMAIN`",
    )

    @property
    def trial(self) -> bool:
        """Whether this is the private trial."""
        return self.domain == TRIAL_DOMAIN

    @property
    def matrix_host(self) -> str:
        """The host of the client and federation API."""
        return f"matrix.{self.domain}"

    @property
    def chat_host(self) -> str:
        """The host of the web client."""
        return f"chat.{self.domain}"

    @property
    def synapse_host(self) -> str:
        """An alias of `matrix_host`."""
        return f"synapse.{self.domain}"

    @property
    def turn_host(self) -> str:
        """The host of the relay for calls."""
        return f"turn.{self.domain}"

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong with the names together."""
        first, _, rest = self.domain.partition(".")
        if first in NAMES_OF_OURS and "." in rest:
            yield Problem(
                "MATRIX_DOMAIN",
                f"{self.domain!r} is the name of a service; give the domain it belongs to: "
                f"MATRIX_DOMAIN={rest} (users are then @name:matrix.{rest})",
            )
        elif not self.trial and "." not in self.domain:
            yield Problem(
                "MATRIX_DOMAIN",
                f"{self.domain!r} has no dot: give a whole domain, such as example.org or home.lan",
            )
        elif self.server_name not in (self.domain, self.matrix_host):
            yield Problem(
                "MATRIX_SERVER_NAME",
                f"{self.server_name!r} is neither {self.matrix_host} nor {self.domain}, the names "
                "that MATRIX_DOMAIN can answer for",
            )
