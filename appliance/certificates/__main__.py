"""The program that the agent starts every minute, as root: renews, publishes, tells the servers.

Does not rest before every service was seen to serve what is published.
"""

import sys
from dataclasses import replace
from pathlib import Path

from appliance.certificates import Publication, Source, State, refresh
from appliance.certificates.lock import hold
from appliance.certificates.stopped import StoppedError
from appliance.errors import EXIT_FAILED, OperationError
from appliance.paths import TLS_SOURCE


def main() -> None:
    """Run once. Nothing heavy is imported where nothing has changed."""
    source, publication = Source.from_json(Path(TLS_SOURCE).read_text()), Publication()
    try:
        with hold(publication) as held:
            if held:  # or somebody at the command line is doing the same
                _look_after(source, publication)
    except StoppedError:
        sys.exit(0)  # the next run goes on
    except OperationError as error:
        _say(str(error))
        sys.exit(EXIT_FAILED)


def _look_after(source: Source, publication: Publication) -> None:
    before = publication.read_state()
    state = refresh(source, publication)
    if source.order:
        from appliance.certificates.acme import upkeep

        state = upkeep.keep(source, publication, state)
    _tell_changes(before, state)
    if not state.served:
        from appliance.certificates.handover import hand_over  # TLS itself: 20 ms

        told = hand_over(source, publication)
        publication.write_state(replace(state, served=True))
        if told:
            _say(f"a new certificate is served by {', '.join(told)}")


def _tell_changes(before: State | None, state: State) -> None:
    """Say what was not so a run ago: once, however often it is tried."""
    if before and before.problem and not state.problem:
        _say("all is well again")
    if state.problem and (before is None or before.problem != state.problem):
        _say(state.problem)
    for remark in state.remarks:
        if before is None or remark not in before.remarks:
            _say(remark)


def _say(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201


if __name__ == "__main__":
    main()
