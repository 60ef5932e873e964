"""Requests to Synapse over its Unix socket. Knows no endpoint and keeps no secret."""

import http.client
import json
from collections.abc import Mapping
from typing import Any

from appliance.errors import OperationError
from appliance.unix_http import UnixConnection

# Synapse limits log-ins by address: a loopback address that no other client has.
_CLIENT_ADDRESS = "127.0.0.2"


class RefusedError(OperationError):
    """Synapse understood the request and refused it. Source: Matrix specification, "errcode"."""

    def __init__(self, status: int, code: str, message: str) -> None:
        self.status = status
        self.code = code
        super().__init__(f"Synapse refuses: {message}")


class SynapseClient:
    """The Synapse behind a socket, one connection for each request."""

    def __init__(self, server_name: str, socket: str) -> None:
        self._server_name = server_name
        self._socket = socket

    def request(
        self, method: str, path: str, body: Mapping[str, object] | None = None, token: str = ""
    ) -> Any:
        """Send a request and return the JSON of its answer.

        Raise RefusedError for any status but a success, OperationError if there is no answer.
        """
        headers = {
            "Host": self._server_name,
            "X-Forwarded-For": _CLIENT_ADDRESS,
            "X-Forwarded-Proto": "https",
            "Content-Type": "application/json",
        }
        if token:
            headers["Authorization"] = f"Bearer {token}"
        connection = UnixConnection(self._socket)
        try:
            connection.request(method, path, json.dumps({} if body is None else body), headers)
            response = connection.getresponse()
            answer = json.loads(response.read())
        except (OSError, http.client.HTTPException, json.JSONDecodeError) as error:
            raise OperationError(f"Synapse does not answer on {self._socket}: {error}") from error
        finally:
            connection.close()
        if response.status >= 300:
            raise RefusedError(response.status, answer.get("errcode", ""), _reason(answer))
        return answer


def _reason(answer: Mapping[str, Any]) -> str:
    if answer.get("errcode") == "M_LIMIT_EXCEEDED":
        seconds = answer.get("retry_after_ms", 1000) // 1000 + 1
        return f"too many requests; try again in {seconds} s"
    return str(answer.get("error", "no reason given"))
