"""Whose OpenID token it is: the question that decides who may call."""

from dataclasses import dataclass

from appliance.rtc.configuration import Configuration
from appliance.rtc.errors import RefusedError, UnreachableError, unauthorized, unconfirmed
from appliance.rtc.federation import Federation
from appliance.rtc.homeserver import Homeserver
from appliance.rtc.names import server_of


@dataclass(frozen=True)
class User:
    """A user whom their server vouches for; those of ours may make rooms."""

    user_id: str
    ours: bool


class Verifier:
    """Asks the server that a token comes from."""

    def __init__(
        self, configuration: Configuration, homeserver: Homeserver, federation: Federation
    ) -> None:
        self._server_name = configuration.server_name
        self._allowed = configuration.allowed_servers
        self._homeserver = homeserver
        self._federation = federation

    async def verify(self, server: str, token: str) -> User:
        """Return the user of a token. Raise RefusedError if nobody vouches for one."""
        ours = server == self._server_name
        if not ours and self._allowed is not None and server not in self._allowed:
            raise RefusedError(403, "M_FORBIDDEN", "This server does not talk to that one.")
        try:
            if ours:
                answer = await self._homeserver.ask_user_info(token)
            else:
                answer = await self._federation.ask_user_info(server, token)
            user_id = answer.object().get("sub") if answer.status == 200 else None
        except UnreachableError as error:
            raise unconfirmed() from error
        # A server vouches for its own users only, or any could speak for ours.
        if not isinstance(user_id, str) or server_of(user_id) != server:
            raise unauthorized()
        return User(user_id, ours)
