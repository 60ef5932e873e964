"""The `appliance` command: finds the verb, and alone turns errors into exit statuses."""

import os
import sys
from typing import NoReturn

from appliance.errors import (
    EXIT_CONFIGURATION,
    EXIT_FAILED,
    ConfigurationError,
    OperationError,
)


def main() -> None:
    """Run the command line of this process."""
    if sys.argv[1:] == ["health"]:
        from appliance.cli.health import report

        sys.exit(report())
    from appliance.cli.commands import appliance

    try:
        appliance(prog_name="appliance")
    except ConfigurationError as error:
        print(*error.problems, sep="\n", file=sys.stderr)  # noqa: T201
        sys.exit(EXIT_CONFIGURATION)
    except OperationError as error:
        _fail(str(error))
    except PermissionError as error:
        if os.geteuid() == 0:
            raise
        _fail(f"{error.filename}: only root may read it: run the command as root")


def _fail(message: str) -> NoReturn:
    print(f"appliance: {message}", file=sys.stderr)  # noqa: T201
    sys.exit(EXIT_FAILED)
