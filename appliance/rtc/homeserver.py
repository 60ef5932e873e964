"""Our own Synapse, asked inside: never by its public name, through the router."""

from enum import StrEnum
from urllib.parse import quote, urlencode

from appliance.rtc.errors import UnreachableError
from appliance.rtc.http_client import Answer, ask_local

USER_INFO = "/_matrix/federation/v1/openid/userinfo"
_DELAYED_EVENTS = "/_matrix/client/unstable/org.matrix.msc4140/delayed_events"


class Action(StrEnum):
    """What may be done with a delayed event."""

    RESTART = "restart"
    SEND = "send"


class Homeserver:
    """Synapse, at nginx's door for programs of this machine."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def ask_user_info(self, token: str) -> Answer:
        """Ask whose OpenID token it is. Raise UnreachableError."""
        query = urlencode({"access_token": token})
        return await ask_local("GET", f"{self._url}{USER_INFO}?{query}")

    async def manage_delayed_event(self, delay_id: str, action: Action) -> bool:
        """Put off or send a delayed event; False if there is none. Raise UnreachableError.

        Whoever knows its ID may, so no token is needed. Source: MSC4140.
        """
        path = f"{_DELAYED_EVENTS}/{quote(delay_id, safe='')}/{action}"
        answer = await ask_local("POST", f"{self._url}{path}", {})
        if answer.status not in (200, 404):
            raise UnreachableError(f"Synapse answers with status {answer.status}")
        return answer.status == 200
