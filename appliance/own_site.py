"""Questions to our own nginx at the address that clients use, whatever certificate it has.

Who is reached is known: it is this machine. Whether the certificate is right is asked elsewhere.
"""

import http.client
import json
import socket
import ssl
from dataclasses import dataclass
from typing import Any

from appliance.errors import OperationError
from appliance.listeners import client_address
from appliance.machine import Machine
from appliance.settings import Settings

_TIMEOUT_SECONDS = 20


@dataclass(frozen=True)
class Answer:
    """A status and what came with it."""

    status: int
    body: bytes

    def object(self) -> dict[str, Any]:
        """Return the JSON object that it is; an empty one where it is none."""
        try:
            value = json.loads(self.body)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}


def ask(settings: Settings, machine: Machine, host: str, path: str, body: object = None) -> Answer:
    """Ask one of our hosts, by POST if there is a body. Raise OperationError without an answer."""
    address, _, port = client_address(settings, machine).rpartition(":")
    connection = http.client.HTTPConnection(host, timeout=_TIMEOUT_SECONDS)
    headers = {"X-Forwarded-Proto": "https", "Content-Type": "application/json"}
    content = None if body is None else json.dumps(body)
    try:
        connected = socket.create_connection((address.strip("[]"), int(port)), _TIMEOUT_SECONDS)
        connection.sock = _secure(connected, host) if settings.tls else connected
        connection.request("GET" if content is None else "POST", path, content, headers)
        answer = connection.getresponse()
        return Answer(answer.status, answer.read())
    except (OSError, http.client.HTTPException) as error:
        raise OperationError(f"nginx does not answer for {host}: {error}") from error
    finally:
        connection.close()


def _secure(connection: socket.socket, host: str) -> socket.socket:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(connection, server_hostname=host)
