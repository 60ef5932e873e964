"""What the verbs know of the server that runs here: its settings, and Synapse's admin API.

Raises NotRunningError where there is none.
"""

import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from appliance import probe
from appliance.errors import OperationError
from appliance.paths import SETTINGS, SYNAPSE_SOCKET
from appliance.started import read_environment

__all__ = ["choose_environment", "connect_admin", "load_settings", "read_environment"]

if TYPE_CHECKING:
    from appliance.settings import Settings
    from appliance.synapse_admin import SynapseAdmin

_PATIENCE_SECONDS = 30


def choose_environment(
    given: Mapping[str, str] = os.environ, file: Path = Path(SETTINGS)
) -> Mapping[str, str]:
    """Return the variables of this shell if it has any, else those of the running server."""
    if any(name.startswith("MATRIX_") for name in given) or not file.exists():
        return given
    return read_environment(file)


def load_settings() -> "Settings":
    """Return the settings of the running server."""
    from appliance import settings

    return settings.load(read_environment())


def connect_admin(settings: "Settings") -> "SynapseAdmin":
    """Return Synapse's admin API, waiting for a Synapse that is still starting."""
    from appliance import credentials
    from appliance.credentials import Credential
    from appliance.synapse_admin import connect

    _wait_for_synapse()
    password = credentials.load([Credential("admin_password")])["admin_password"]
    return connect(settings.server_name, password)


def _wait_for_synapse() -> None:
    """Wait until Synapse answers. Raise OperationError if it does not in time."""
    question = probe.HttpProbe(SYNAPSE_SOCKET, "/health")
    begin, told = time.monotonic(), False
    while not (answer := probe.ask([question])).healthy:
        waited = time.monotonic() - begin
        if waited > 1 and not told:
            print("waiting for Synapse …", file=sys.stderr)  # noqa: T201
            told = True
        if waited > _PATIENCE_SECONDS:
            raise OperationError(
                f"Synapse does not answer ({answer.detail}): look at `appliance status` and "
                "`appliance logs synapse`"
            )
        time.sleep(0.2)
