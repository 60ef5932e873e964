"""The network behind the fixture bridge: accounts, people who write to them, and what was sent.

Usage: network.py PORT. Runs beside an appliance. The bridge asks what a network's own client would
ask; under /test/ the test does what people and the network's operator do. Everything is JSON. What
an account has not taken is kept for it, so that a bridge that is killed loses nothing here.
"""

import json
import secrets
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_LONG_POLL_SECONDS = 5


@dataclass
class Account:
    """Somebody who is in the network, and who has a bridge."""

    password: str
    token: str | None = None
    events: list[dict[str, Any]] = field(default_factory=list)
    taken: int = 0
    sent: list[dict[str, Any]] = field(default_factory=list)
    read: list[str] = field(default_factory=list)
    slow_seconds: float = 0
    greeted: bool = False


class RefusedError(Exception):
    """The network does not let this client in."""


class Network:
    """Everything there is in the network."""

    def __init__(self) -> None:
        self._accounts: dict[str, Account] = {}
        self._changed = threading.Condition()
        self.questions: dict[str, Callable[[Any, str], Any]] = {
            "/login": self.log_in,
            "/events": self.wait_for_events,
            "/messages": self.take_message,
            "/receipts": self.take_receipt,
            "/logout": self.end_session,
            "/test/account": self.add_account,
            "/test/write": self.write,
            "/test/revoke": self.revoke,
            "/test/slow": self.slow_down,
            "/test/seen": self.describe,
        }

    def log_in(self, question: Any, token: str) -> Any:
        """Let a client in, from where the last one was."""
        del token
        with self._changed:
            account = self._accounts.get(question["name"])
            if account is None or account.password != question["password"]:
                raise RefusedError
            account.token, account.greeted = secrets.token_hex(8), False
            self._changed.notify_all()
            return {"token": account.token, "after": account.taken}

    def wait_for_events(self, question: Any, token: str) -> Any:
        """Return what is new; nothing, after some seconds in which nothing was."""
        with self._changed:
            account = self._find(token)
            account.taken = after = question["after"]
            # The first answer is at once: it says that the token is good.
            if account.greeted:
                self._changed.wait_for(
                    lambda: account.token != token or len(account.events) > after,
                    _LONG_POLL_SECONDS,
                )
            account.greeted = True
            return self._find(token).events[after:]

    def take_message(self, question: Any, token: str) -> Any:
        """Deliver a message, as often as it is sent."""
        time.sleep(self._find(token).slow_seconds)
        with self._changed:
            self._find(token).sent.append(question)
            return {"id": f"sent-{question['id']}", "time": _now()}

    def take_receipt(self, question: Any, token: str) -> Any:
        """Note that the account's owner has read something."""
        with self._changed:
            self._find(token).read.append(question["id"])
        return {}

    def end_session(self, question: Any, token: str) -> Any:
        """Log a client out, as it asked."""
        del question
        with self._changed:
            self._find(token).token = None
            self._changed.notify_all()
        return {}

    def add_account(self, question: Any, token: str) -> Any:
        """Make an account."""
        del token
        with self._changed:
            self._accounts[question["account"]] = Account(question["password"])
        return {}

    def write(self, question: Any, token: str) -> Any:
        """Have something happen in an account's chats."""
        del token
        with self._changed:
            name, event = question["account"], question["event"]
            events = self._accounts[name].events
            number = len(events) + 1
            made = {"kind": "message", "id": f"{name}-{number}", "number": number, "time": _now()}
            events.append(made | event)
            self._changed.notify_all()
            return events[-1]

    def revoke(self, question: Any, token: str) -> Any:
        """Log an account's client out, although it did not ask."""
        del token
        with self._changed:
            self._accounts[question["account"]].token = None
            self._changed.notify_all()
        return {}

    def slow_down(self, question: Any, token: str) -> Any:
        """Have the network take its time for every message that an account sends."""
        del token
        self._accounts[question["account"]].slow_seconds = question["seconds"]
        return {}

    def describe(self, question: Any, token: str) -> Any:
        """Return what an account's client has brought here."""
        del token
        with self._changed:
            account = self._accounts[question["account"]]
            return {
                "sent": account.sent,
                "read": account.read,
                "taken": account.taken,
                "logged_in": account.token is not None,
            }

    def _find(self, token: str) -> Account:
        for account in self._accounts.values():
            if account.token == token:
                return account
        raise RefusedError


class Handler(BaseHTTPRequestHandler):
    """One client's connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    network = Network()

    def do_POST(self) -> None:
        question = json.loads(self.rfile.read(int(self.headers["content-length"])))
        token = self.headers.get("authorization", "").removeprefix("Bearer ")
        try:
            answer, status = self.network.questions[self.path](question, token), HTTPStatus.OK
        except RefusedError:
            answer, status = {}, HTTPStatus.FORBIDDEN
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:  # who asked was killed meanwhile
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


def _now() -> int:
    return int(time.time() * 1000)


if __name__ == "__main__":
    server = ThreadingHTTPServer(("", int(sys.argv[1])), Handler)
    server.daemon_threads = True
    server.serve_forever()
