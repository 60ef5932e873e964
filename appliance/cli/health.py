"""`appliance health`, Docker's HEALTHCHECK: asks the essential parts, as cheaply as it can."""

from pathlib import Path

from appliance import probe
from appliance.errors import EXIT_FAILED, NotRunningError
from appliance.paths import HEALTH


def report(file: Path = Path(HEALTH)) -> int:
    """Ask every essential part, say in one line how they are and return the exit status."""
    try:
        probes = probe.from_json(file.read_text())
    except FileNotFoundError:
        return _say(str(NotRunningError()), EXIT_FAILED)
    answers = {part: probe.ask(of_part) for part, of_part in probes.items()}
    ill = [f"{part}: {answer.detail}" for part, answer in answers.items() if not answer.healthy]
    if ill:
        return _say("unhealthy: " + "; ".join(ill), EXIT_FAILED)
    return _say("healthy: " + ", ".join(answers), 0)


def _say(line: str, status: int) -> int:
    print(line)  # noqa: T201
    return status
