"""What bridges post of themselves, and what of it their users have to be told. No I/O of its own.

Source: mautrix bridgev2, `homeserver.status_endpoint`: a bridge posts each change of a log-in, and
that nobody has logged in, with the token by which it also speaks to Synapse.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from appliance.bridges.catalogue import Bridge

PATH = "/bridge-status"
_UNCONFIGURED, _LOGGED_OUT = "UNCONFIGURED", "LOGGED_OUT"
_LOST, _FAILED, _DISCONNECTED = "BAD_CREDENTIALS", "UNKNOWN_ERROR", "TRANSIENT_DISCONNECT"
_AILING = (_LOST, _FAILED, _DISCONNECTED)
# As long as the bridge itself waits before it tells the owner.
_PATIENCE_SECONDS = 180


@dataclass(frozen=True)
class Poster:
    """A bridge, as far as what is said about it needs it."""

    name: str
    title: str
    bot: str


@dataclass(frozen=True)
class Source:
    """Where bridges post to, and by the digest of whose token each is known: no secret."""

    host: str
    port: int
    posters: Mapping[str, Poster]

    @classmethod
    def of(
        cls, host: str, port: int, server_name: str, bridges: Iterable[tuple[Bridge, str]]
    ) -> Self:
        """Return what the agent has to know of bridges, each given with its token."""
        posters = {
            digest(token): Poster(one.name, one.title, f"@{one.bot}:{server_name}")
            for one, token in bridges
        }
        return cls(host, port, posters)

    def to_json(self) -> str:
        """Return the text of `paths.BRIDGE_POSTS`."""
        return json.dumps(asdict(self), indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Given the text of `paths.BRIDGE_POSTS`, return what it says."""
        values = json.loads(text)
        posters = {token: Poster(**poster) for token, poster in values["posters"].items()}
        return cls(values["host"], values["port"], posters)


@dataclass(frozen=True)
class State:
    """A log-in as its bridge told it last. `since` is when it began to be so, in Unix time."""

    bridge: str
    user_id: str
    login_id: str
    name: str
    event: str
    problem: str
    since: float


class Logins:
    """Every log-in of every bridge."""

    def __init__(self, states: Iterable[State] = ()) -> None:
        self._states = {_key(state): state for state in states}

    def take(self, bridge: str, post: Mapping[str, Any], now: float) -> None:
        """Take in what a bridge posted. A log-in that its owner ended is gone."""
        event = str(post.get("state_event", ""))
        login_id = str(post.get("remote_id", ""))
        if not login_id:
            if event == _UNCONFIGURED:
                self._forget(lambda state: state.bridge == bridge)
            return
        new = State(
            bridge,
            str(post.get("user_id", "")),
            login_id,
            str(post.get("remote_name") or login_id),
            event,
            str(post.get("message") or post.get("error") or ""),
            now,
        )
        before = self._states.get(_key(new))
        if event == _LOGGED_OUT:
            self._states.pop(_key(new), None)
        elif before and before.event == event:
            self._states[_key(new)] = replace(new, since=before.since)
        else:
            self._states[_key(new)] = new

    def keep_only(self, bridges: Iterable[str]) -> None:
        """Forget the log-ins of every other bridge: it is not here any more."""
        known = set(bridges)
        self._forget(lambda state: state.bridge not in known)

    def _forget(self, is_gone: Callable[[State], bool]) -> None:
        self._states = {key: one for key, one in self._states.items() if not is_gone(one)}

    def __len__(self) -> int:
        return len(self._states)

    def ailing(self, now: float) -> Iterator[State]:
        """Yield those that are lost, and those that have been disconnected for minutes."""
        for _, state in sorted(self._states.items()):
            patience = _PATIENCE_SECONDS if state.event == _DISCONNECTED else 0
            if state.event in _AILING and now - state.since >= patience:
                yield state

    def to_json(self) -> str:
        """Return all as text."""
        return json.dumps([asdict(state) for state in self._states.values()], indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Given that text, return all."""
        return cls(State(**row) for row in json.loads(text))


def describe(state: State, poster: Poster, now: float) -> str:
    """Return in words what is wrong with a log-in, and what its owner does about it."""
    reason = f" ({state.problem})" if state.problem else ""
    account = f"{state.user_id}'s log-in at {poster.title} as {state.name}"
    if state.event == _DISCONNECTED:
        minutes = int(now - state.since) // 60
        return f"{account} has been disconnected for {minutes} min{reason}"
    if state.event == _FAILED:
        return f"{account} has failed{reason}; the chat with {poster.bot} says more"
    return f"{account} is lost{reason}: to be made anew in the chat with {poster.bot}"


def digest(token: str) -> str:
    """Return by what a token is known that is not itself known."""
    return hashlib.sha256(token.encode()).hexdigest()


def _key(state: State) -> tuple[str, str, str]:
    return state.bridge, state.user_id, state.login_id
