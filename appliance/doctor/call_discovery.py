"""Whether clients of every generation find the service for calls: each looks in another place."""

from collections.abc import Iterator
from typing import Any

from appliance import own_site, synapse_admin
from appliance.doctor.contract import Check, Finding, good, wrong
from appliance.errors import OperationError
from appliance.parts import element, rtc
from appliance.parts.contract import Deployment

_WELL_KNOWN = "org.matrix.msc4143.rtc_foci"
_ADVICE = (
    "Some clients say MISSING_MATRIX_RTC_TRANSPORT, or have no button for calls. Look whether a "
    "file of yours under /data/custom replaces it, then start the container again."
)


def compare_places(deployment: Deployment) -> Iterator[Finding]:
    """Look in each place for the one address."""
    wanted = rtc.service_url(deployment.settings, deployment.machine)
    for place, look in (
        ("the transports that Synapse names", _ask_synapse),
        ("well-known", _read_well_known),
        ("Element Call's configuration", _read_element_call),
    ):
        try:
            found = look(deployment)
        except OperationError as error:
            yield wrong(f"{place}: {error}", _ADVICE)
            continue
        if found == [wanted]:
            yield good(f"{place}: {wanted}")
        elif found is not None:
            said = ", ".join(map(str, found)) or "nothing"
            yield wrong(f"{place}: {said} instead of {wanted}", _ADVICE)


def _ask_synapse(deployment: Deployment) -> list[Any]:
    return _addresses(_connect(deployment).call_transports())


def _read_well_known(deployment: Deployment) -> list[Any]:
    settings = deployment.settings
    path = "/.well-known/matrix/client"
    answer = own_site.ask(settings, deployment.machine, settings.matrix_host, path)
    return _addresses(answer.object().get(_WELL_KNOWN, []))


def _read_element_call(deployment: Deployment) -> list[Any] | None:
    settings, machine = deployment.settings, deployment.machine
    if not element.PART.enabled(settings, machine):
        return None
    path = "/widgets/element-call/config.json"
    answer = own_site.ask(settings, machine, settings.chat_host, path)
    return _addresses([answer.object().get("livekit", {})])


def _addresses(rows: list[Any]) -> list[Any]:
    return [row.get("livekit_service_url") for row in rows if isinstance(row, dict)]


def _connect(deployment: Deployment) -> synapse_admin.SynapseAdmin:
    password = deployment.credentials["admin_password"]
    return synapse_admin.connect(deployment.settings.server_name, password)


CHECK = Check(
    "call-discovery",
    "calls",
    "Do clients of every generation find where calls go?",
    compare_places,
    applies=lambda deployment: rtc.PART.enabled(deployment.settings, deployment.machine),
    order=22,
)
