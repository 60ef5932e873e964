"""The program that the agent starts every minute, as root: renews, publishes, tells the servers.

Does not rest before every service was seen to serve what is published.
"""

import sys
from dataclasses import replace
from pathlib import Path

from appliance.certificates import Publication, Source, refresh
from appliance.errors import EXIT_FAILED, OperationError
from appliance.paths import TLS_SOURCE


def main() -> None:
    """Run once. Nothing heavy is imported where nothing has changed."""
    source, publication = Source.from_json(Path(TLS_SOURCE).read_text()), Publication()
    before = publication.read_state()
    try:
        state = refresh(source, publication)
        if state.problem and (before is None or before.problem != state.problem):
            _say(f"not taken: {state.problem}")
        if not state.served:
            from appliance.certificates.handover import hand_over  # TLS itself: 20 ms

            told = hand_over(source, publication)
            publication.write_state(replace(state, served=True))
            if told:
                _say(f"a new certificate is served by {', '.join(told)}")
    except OperationError as error:
        _say(str(error))
        sys.exit(EXIT_FAILED)


def _say(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201


if __name__ == "__main__":
    main()
