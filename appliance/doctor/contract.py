"""The contract of a check: a question about the running server, and what to do about the answer."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from appliance.parts.contract import Deployment


class Verdict(StrEnum):
    """How something is."""

    GOOD = "good"
    WRONG = "wrong"
    UNCERTAIN = "uncertain"
    """Cannot be told from here, or is right for some owners only."""


@dataclass(frozen=True)
class Finding:
    """One thing that a check found."""

    verdict: Verdict
    what: str
    advice: str = ""
    """What its users see of it, and what to do; for everything that is not good."""


@dataclass(frozen=True)
class Check:
    """Asks one question; `run` raises nothing that an owner can cause.

    `applies` tells whether a deployment has anything to ask about.
    """

    name: str
    subject: str
    question: str
    run: Callable[[Deployment], Iterable[Finding]]
    applies: Callable[[Deployment], bool] = lambda _: True
    order: int = 50


def good(what: str) -> Finding:
    """Return that something is as it should be."""
    return Finding(Verdict.GOOD, what)


def wrong(what: str, advice: str) -> Finding:
    """Return that something does not work, and what to do."""
    return Finding(Verdict.WRONG, what, advice)


def uncertain(what: str, advice: str) -> Finding:
    """Return that something may not work, and what to look at."""
    return Finding(Verdict.UNCERTAIN, what, advice)
