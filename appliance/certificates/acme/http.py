"""The HTTP-01 challenge: nginx answers for every name that leads to this machine.

A name that does not is left out, so that it costs no other one its certificate, and is taken in as
soon as it does. One that is in the certificate stays until it is renewed: DNS may be out of order
for a minute, and the authority has the last word anyway.
"""

import json
import re
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from appliance.certificates import arrival
from appliance.certificates.acme import refusals
from appliance.certificates.acme.challenge import Circumstances, Preparation
from appliance.certificates.acme.failures import shorten
from appliance.certificates.acme.refusals import Refusal
from appliance.certificates.arrival import Arrival, Verdict
from appliance.errors import OperationError
from appliance.listeners import plain_listeners
from appliance.machine import measure
from appliance.paths import CHALLENGES

if TYPE_CHECKING:
    from appliance.certificates.acme.certbot import Run
    from appliance.settings import Settings

_CORRECT_IT = "Give it this machine's address in the DNS, or leave it out of MATRIX_ACME_NAMES"
# How certbot sums up what the authority refused.
_REFUSED = re.compile(
    r"^\s*(?:Domain|Identifier):\s+(\S+)\n\s*Type:\s+\w+\n\s*Detail:\s+(.+)$", re.MULTILINE
)


def prepare(circumstances: Circumstances) -> Preparation:
    """Choose the names that lead here, and those for the authority to judge.

    Raise OperationError if there is none.
    """
    settings = circumstances.settings
    arrivals = _come_through(settings)
    held = _read_held(circumstances.kept / "live" / settings.domain / "judged.json")
    known = {} if circumstances.again else refusals.load(circumstances.kept)
    asked, said = choose(arrivals, held, known, settings)
    if not asked:
        raise OperationError(_nothing(arrivals, settings))
    return Preparation(
        options=(
            *("--authenticator=webroot", f"--webroot-path={CHALLENGES}"),
            "--allow-subset-of-names",
        ),
        names=tuple(one.name for one in asked),
        remarks=_word(said),
        conclude=partial(_conclude, circumstances.kept, asked, said, settings),
        look_again_soon=True,
    )


def choose(
    arrivals: Sequence[Arrival],
    held: Collection[str],
    known: Mapping[str, Refusal],
    settings: "Settings",
) -> tuple[list[Arrival], dict[str, str]]:
    """Given where each name leads, those in the certificate and those that the authority refused.

    Return the names to ask for, and of each name what the owner should know.
    """
    asked: list[Arrival] = []
    said = {}
    for one in arrivals:
        refusal = known.get(one.name)
        if one.name in held:
            asked.append(one)
            if one.verdict is Verdict.AWAY:
                said[one.name] = f"{one.detail}: it cannot be in the next certificate"
        elif refusal and refusal.holds(one.addresses, time.time()):
            said[one.name] = _not_found(refusal.detail)
        elif one.verdict is Verdict.AWAY:
            said[one.name] = f"is not in the certificate: it {one.detail}. {_CORRECT_IT}"
        elif not _needless(one, arrivals, settings):
            asked.append(one)
    return asked, _leave_out_spare(said, settings)


def _leave_out_spare(said: Mapping[str, str], settings: "Settings") -> dict[str, str]:
    return {name: text for name, text in said.items() if not _is_spare(name, settings)}


def _word(said: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(f"{name} {text}" for name, text in said.items())


def _come_through(settings: "Settings") -> list[Arrival]:
    listener = plain_listeners(settings, measure())[0]
    address = listener.reachable.rpartition(":")[0].strip("[]")
    with arrival.put_word(Path(CHALLENGES)) as word:
        arrival.wait_until_served(word, settings.matrix_host, address, listener.port)
        return arrival.find_out(settings.acme_names, word)


def _read_held(judged: Path) -> tuple[str, ...]:
    """Return the names in the certificate that is kept."""
    try:
        return tuple(json.loads(judged.read_text())["facts"]["names"])
    except (OSError, ValueError, TypeError, KeyError):
        return ()


def _needless(one: Arrival, arrivals: Iterable[Arrival], settings: "Settings") -> bool:
    """Return whether nobody misses a name of which it is not even known that it leads here."""
    if not _is_spare(one.name, settings) or one.verdict is Verdict.HERE:
        return False
    others = {
        address for other in arrivals if other.name != one.name for address in other.addresses
    }
    return not others & set(one.addresses)


def _is_spare(name: str, settings: "Settings") -> bool:
    """Return whether a name is only had where it happens to lead here: the bare domain."""
    return (
        name == settings.domain
        and settings.server_name != name
        and "acme_names" not in settings.model_fields_set
    )


def _conclude(
    kept: Path,
    asked: Iterable[Arrival],
    said: Mapping[str, str],
    settings: "Settings",
    run: "Run",
) -> tuple[str, ...]:
    """After a success: keep which names the authority left out; return what the owner should know.

    `said`: what there was to say of each name before.
    """
    addresses = {one.name: one.addresses for one in asked}
    refused = {
        name: shorten(detail) for name, detail in _REFUSED.findall(run.output) if name in addresses
    }
    refusals.note(kept, addresses, refused)
    new = {name: _not_found(detail) for name, detail in refused.items()}
    return _word({**said, **_leave_out_spare(new, settings)})


def _not_found(detail: str) -> str:
    return (
        f"is not in the certificate: the authority did not find this machine there ({detail}). "
        "Lead port 80 of it here, or leave it out of MATRIX_ACME_NAMES"
    )


def _nothing(arrivals: Iterable[Arrival], settings: "Settings") -> str:
    seen = "; ".join(f"{one.name} {one.detail}" for one in arrivals)
    port = settings.http_port
    remedy = "lead port 80 to it" if port == 80 else f"lead port 80 to its port {port}"
    return (
        f"no name leads to this machine, where the authority could find it ({seen}): give them its "
        f"public address in the DNS, and {remedy}"
    )
