"""Whether a user of this server gets a token that LiveKit accepts: what happens before a call."""

from collections.abc import Iterator

from appliance import own_site, synapse_admin
from appliance.doctor.contract import Check, Finding, good, wrong
from appliance.errors import OperationError
from appliance.parts import livekit, rtc
from appliance.parts.contract import Deployment

_ADVICE = (
    "Element Call says OPEN_ID_ERROR, or shows an empty call without a word. Look at `appliance "
    "logs rtc`, `appliance logs livekit` and `appliance status`."
)


def call_as_the_appliance(deployment: Deployment) -> Iterator[Finding]:
    """Do what a client does, as the appliance's own account."""
    settings, machine = deployment.settings, deployment.machine
    host, room = settings.matrix_host, f"!doctor:{settings.server_name}"
    try:
        token = _connect(deployment).openid_token()
        body = {"room": room, "openid_token": token, "device_id": "DOCTOR"}
        answer = own_site.ask(settings, machine, host, f"{rtc.PUBLIC_PATH}/sfu/get", body)
        if answer.status != 200:
            said = answer.object().get("error", "")
            yield wrong(f"no token: status {answer.status} {said}".strip(), _ADVICE)
            return
        yield good("a user of this server gets a token")
        path = f"{livekit.PUBLIC_PATH}/rtc/validate?access_token={answer.object()['jwt']}"
        entered = own_site.ask(settings, machine, host, path)
    except OperationError as error:
        yield wrong(str(error), _ADVICE)
        return
    if entered.status == 200:
        yield good("LiveKit lets its holder in")
    else:
        yield wrong(f"LiveKit refuses its holder with status {entered.status}", _ADVICE)


def _connect(deployment: Deployment) -> synapse_admin.SynapseAdmin:
    password = deployment.credentials["admin_password"]
    return synapse_admin.connect(deployment.settings.server_name, password)


CHECK = Check(
    "call-token",
    "calls",
    "May a user of this server enter a call?",
    call_as_the_appliance,
    applies=lambda deployment: rtc.PART.enabled(deployment.settings, deployment.machine),
    order=21,
)
