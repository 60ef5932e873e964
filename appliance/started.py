"""What the running server was started with. Raises NotRunningError where there is none."""

import json
from pathlib import Path

from appliance.errors import NotRunningError
from appliance.paths import SETTINGS


def read_environment(file: Path = Path(SETTINGS)) -> dict[str, str]:
    """Return the `MATRIX_*` variables that the running server was started with."""
    try:
        environment: dict[str, str] = json.loads(file.read_text())["environment"]
    except FileNotFoundError:
        raise NotRunningError from None
    return environment
