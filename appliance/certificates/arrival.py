"""Which names lead to this machine, found out by coming through each of them.

A word that nobody else knows lies where the authority will look, and is fetched by name from every
address of it: comparing addresses would fail behind NAT. Asks nobody but the names themselves.
"""

import contextlib
import secrets
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from http.client import HTTPConnection, HTTPException
from ipaddress import ip_address
from pathlib import Path

from appliance.errors import OperationError
from appliance.resolver import Lookup, look_up

_PATH = ".well-known/acme-challenge"
# The only port that an authority asks. Source: RFC 8555, 8.3.
_PORT = 80
_TIMEOUT_SECONDS = 5
_AT_ONCE = 16
_START_SECONDS = 30


class Answer(StrEnum):
    """What came back from one address of a name."""

    OURS = "this machine"
    OTHER = "another server"
    ELSEWHERE = "leads on elsewhere"
    NONE = "does not answer"


class Verdict(StrEnum):
    """Whether a name leads here."""

    HERE = "here"
    AWAY = "away"
    UNKNOWN = "unknown"
    """It cannot be told from inside: many a router does not let its own network in again."""


@dataclass(frozen=True)
class Arrival:
    """A name, where it leads, and how that was seen."""

    name: str
    verdict: Verdict
    addresses: tuple[str, ...]
    detail: str


@dataclass(frozen=True)
class Word:
    """What nginx serves at a path that nobody else knows."""

    path: str
    text: str


@contextlib.contextmanager
def put_word(directory: Path) -> Iterator[Word]:
    """Have one as long as the block. `directory` is what nginx serves on plain HTTP."""
    word = Word(f"/{_PATH}/appliance-{secrets.token_urlsafe(16)}", secrets.token_urlsafe(32))
    file = directory / word.path.lstrip("/")
    file.write_text(word.text)
    file.chmod(0o644)
    try:
        yield word
    finally:
        file.unlink()


def wait_until_served(word: Word, name: str, address: str, port: int) -> None:
    """Wait for nginx, which starts beside us. Raise OperationError if it does not come."""
    deadline = time.monotonic() + _START_SECONDS
    while _fetch((name, address), word, port) is not Answer.OURS:
        if time.monotonic() > deadline:
            raise OperationError(
                f"nginx does not serve at port {port} what the authority will ask for: see "
                "`appliance logs nginx`"
            )
        time.sleep(0.2)


def find_out(names: Sequence[str], word: Word, port: int = _PORT) -> list[Arrival]:
    """Come through every name."""
    with ThreadPoolExecutor(_AT_ONCE) as executor:
        found = dict(zip(names, executor.map(look_up, names), strict=True))
        places = [(name, address) for name in names for address in found[name].addresses]
        fetch = partial(_fetch, word=word, port=port)
        answers = dict(zip(places, executor.map(fetch, places), strict=True))
    return judge(found, answers)


def _fetch(place: tuple[str, str], word: Word, port: int) -> Answer:
    name, address = place
    connection = HTTPConnection(address, port, timeout=_TIMEOUT_SECONDS)
    try:
        connection.request("GET", word.path, headers={"Host": name})
        answer = connection.getresponse()
        if answer.status in (301, 302, 303, 307, 308):
            return Answer.ELSEWHERE
        return Answer.OURS if answer.read(100).decode("latin1") == word.text else Answer.OTHER
    except (OSError, HTTPException):
        return Answer.NONE
    finally:
        connection.close()


def judge(found: dict[str, Lookup], answers: dict[tuple[str, str], Answer]) -> list[Arrival]:
    """Given what DNS says of each name and what came back from its addresses, tell where it leads.

    That nothing of ours came back says something only where this machine is seen to reach itself
    by a public address.
    """
    returns = any(
        answer is Answer.OURS and ip_address(address.partition("%")[0]).is_global
        for (_, address), answer in answers.items()
    )
    return [
        _judge_name(
            name, one, {address: answers[name, address] for address in one.addresses}, returns
        )
        for name, one in found.items()
    ]


def _judge_name(name: str, found: Lookup, answers: dict[str, Answer], returns: bool) -> Arrival:
    def conclude(verdict: Verdict, detail: str) -> Arrival:
        return Arrival(name, verdict, found.addresses, detail)

    if not found.addresses:
        if found.certain:
            return conclude(Verdict.AWAY, "has no address in DNS")
        return conclude(Verdict.UNKNOWN, "could not be looked up: the DNS server does not answer")
    others = [address for address, answer in answers.items() if answer is not Answer.OURS]
    if not others:
        return conclude(Verdict.HERE, f"leads here by {_list(found.addresses)}")
    detail = "; ".join(
        f"{_list(of_kind)}: {kind}"
        for kind in Answer
        if (of_kind := [address for address in others if answers[address] is kind])
    )
    if len(others) < len(answers):
        # Which of its addresses the authority takes, nobody can tell.
        return conclude(Verdict.UNKNOWN, f"leads here, but not by every address ({detail})")
    away = returns and Answer.ELSEWHERE not in answers.values()
    return conclude(Verdict.AWAY if away else Verdict.UNKNOWN, f"leads elsewhere ({detail})")


def _list(addresses: Iterable[str]) -> str:
    return ", ".join(addresses)
