"""The `appliance` command: finds the verb, and alone turns errors into exit statuses."""

import sys

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
        print(f"appliance: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(EXIT_FAILED)
