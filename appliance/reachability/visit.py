"""Come in by a name at one of its addresses.

The certificate is not looked at: whether it is a good one is asked elsewhere.
"""

import socket
import ssl
from enum import StrEnum
from http.client import HTTPConnection, HTTPException, HTTPSConnection

from appliance.endpoint import Endpoint

_TIMEOUT_SECONDS = 5


class Answer(StrEnum):
    """What came back from an address."""

    OURS = "this server answers"
    OTHER = "something else answers"
    NONE = "nothing answers"


def visit(name: str, at: Endpoint, path: str, word: str, *, tls: bool) -> Answer:
    """Fetch a path from a name at an address and return whether it is the word."""
    connection = _connect(name, at) if tls else _connect_plainly(at)
    port = "" if at.port == (443 if tls else 80) else f":{at.port}"
    try:
        connection.request("GET", path, headers={"Host": f"{name}{port}"})
        answer = connection.getresponse()
        said = answer.read(len(word) + 1).decode("latin1")
    except ssl.SSLError:
        return Answer.OTHER
    except OSError:
        return Answer.NONE
    except HTTPException:
        return Answer.OTHER
    finally:
        connection.close()
    return Answer.OURS if answer.status == 200 and said == word else Answer.OTHER


def _connect_plainly(at: Endpoint) -> HTTPConnection:
    return HTTPConnection(at.host, at.port, timeout=_TIMEOUT_SECONDS)


class _NamedConnection(HTTPSConnection):
    """A connection to an address that asks for a name."""

    def __init__(self, name: str, at: Endpoint, context: ssl.SSLContext) -> None:
        super().__init__(at.host, at.port, timeout=_TIMEOUT_SECONDS, context=context)
        self._name, self._trust = name, context

    def connect(self) -> None:
        """Connect, the name in the handshake."""
        plain = socket.create_connection((self.host, self.port), _TIMEOUT_SECONDS)
        try:
            self.sock = self._trust.wrap_socket(plain, server_hostname=self._name)
        except BaseException:
            plain.close()
            raise


def _connect(name: str, at: Endpoint) -> HTTPConnection:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return _NamedConnection(name, at, context)
