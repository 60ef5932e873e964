"""Start a bridge once Synapse answers: one that is early backs off for up to a minute.

Usage: HOMESERVER POSTS DATABASE COMMAND… The first two are ADDRESS:PORT, DATABASE is as libpq takes
it; POSTS and DATABASE are empty where it has none. Runs as the bridge's user; imports little, since
Synapse starts beside.
"""

import os
import socket
import sys
import time

from appliance.errors import CommandError
from appliance.probe import TIMEOUT_SECONDS, HttpProbe
from appliance.process import run

_RETRY_SECONDS = 0.1
# The agent starts beside Synapse and is there before it. A bridge that finds nobody to post to
# tries again after five seconds; one without an agent must come up all the same.
_PATIENCE_WITH_AGENT_SECONDS = 20
_RETRY_DATABASE_SECONDS = 1
_SAY_AGAIN_SECONDS = 60
_NO_CONNECTION = 2
"""psql's status. Source: psql(1), "Exit Status"."""
# A bridge that lost its database finds keys of its bot at Synapse that it knows nothing of, and
# ends with status 34. This value lets it put new ones in their place when it is started again.
# Source: mautrix bridgev2, `self_sign`; measured.
_MAY_REPLACE_KEYS = """
DO $$ BEGIN
    IF to_regclass('kv_store') IS NOT NULL THEN
        INSERT INTO kv_store (bridge_id, key, value) SELECT '', 'recovery_key', 'overwrite'
        WHERE NOT EXISTS (SELECT FROM kv_store WHERE key = 'recovery_key');
    END IF;
END $$
"""


def main() -> None:
    """Wait until Synapse answers, and for a while for the agent; then become the bridge."""
    homeserver, posts, database, *command = sys.argv[1:]
    question = HttpProbe(homeserver, "/health")
    while not _is_answered(question):
        time.sleep(_RETRY_SECONDS)
    give_up = time.monotonic() + _PATIENCE_WITH_AGENT_SECONDS
    while posts and not _is_listening(posts) and time.monotonic() < give_up:
        time.sleep(_RETRY_SECONDS)
    if database:
        _let_keys_be_replaced(database)
    os.execvp(command[0], command)  # noqa: S606 - it becomes the bridge


def _is_answered(question: HttpProbe) -> bool:
    try:
        question.ask()
    except OSError:
        return False
    return True


def _is_listening(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=TIMEOUT_SECONDS).close()
    except OSError:
        return False
    return True


def _let_keys_be_replaced(database: str) -> None:
    """Say so in its database, waiting for one that is not there: the bridge would give up."""
    command = ("psql", "-XAtqw", "-v", "ON_ERROR_STOP=1", "-c", _MAY_REPLACE_KEYS, "-d", database)
    said = 0.0
    while True:
        try:
            run(command)
        except CommandError as error:
            if time.monotonic() > said + _SAY_AGAIN_SECONDS:
                said = time.monotonic()
                print(error, file=sys.stderr)  # noqa: T201
            if error.status != _NO_CONNECTION:
                return
            time.sleep(_RETRY_DATABASE_SECONDS)
        else:
            return


if __name__ == "__main__":
    main()
