"""A running bridge's log-ins, from its provisioning API on loopback.

Source: mautrix bridgev2, "provisioning API" v3. Knows no bridge by name.
"""

import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from appliance.errors import OperationError
from appliance.listeners import Listener

_API = "/_matrix/provision/v3"
_TIMEOUT_SECONDS = 10


@dataclass(frozen=True)
class Login:
    """An account on the other network that somebody here has connected."""

    user_id: str
    login_id: str
    name: str
    state: str
    problem: str


@dataclass(frozen=True)
class Provisioning:
    """The provisioning API of one bridge."""

    address: Listener
    secret: str

    def logins(self, user_id: str) -> Iterator[Login]:
        """Yield the log-ins of somebody. Raise OperationError if the bridge does not answer."""
        for login in self._ask("GET", "whoami", user_id)["logins"]:
            state = login.get("state") or {}
            yield Login(
                user_id=user_id,
                login_id=login["id"],
                name=login.get("name") or login["id"],
                state=state.get("state_event") or login.get("state_event") or "UNKNOWN",
                problem=state.get("message") or state.get("error") or "",
            )

    def log_out(self, login: Login) -> None:
        """End a log-in, at the other network too."""
        self._ask("POST", f"logout/{quote(login.login_id, safe='')}", login.user_id)

    def _ask(self, method: str, path: str, user_id: str) -> Any:
        address = f"{_API}/{path}?user_id={quote(user_id, safe='')}"
        headers = {"Authorization": f"Bearer {self.secret}"}
        connection = http.client.HTTPConnection(str(self.address), timeout=_TIMEOUT_SECONDS)
        try:
            connection.request(method, address, headers=headers)
            response = connection.getresponse()
            answer = json.loads(response.read() or b"{}")
        except (OSError, http.client.HTTPException, json.JSONDecodeError) as error:
            raise OperationError(
                f"the bridge at {self.address} does not answer: {error}"
            ) from error
        finally:
            connection.close()
        if response.status >= 300:
            reason = answer.get("error", f"status {response.status}")
            raise OperationError(f"the bridge at {self.address} refuses: {reason}")
        return answer
