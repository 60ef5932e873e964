"""Log one link for the first administrator, where nobody is at a shell to make one.

Runs as root, once in the life of the data: the agent has it started as soon as Synapse answers.
"""

import sys
from pathlib import Path

from appliance.cli import running
from appliance.errors import EXIT_FAILED, OperationError
from appliance.invitations import Note
from appliance.invitations.link import make_link
from appliance.invitations.making import USUAL_DAYS, make_invitation
from appliance.paths import ADMIN_INVITATION_WANTED


def main() -> int:
    """Log the link, then take away what asked for it. Return an exit status."""
    try:
        settings = running.load_settings()
        made = make_invitation(running.connect_admin(settings), Note(admin=True))
    except OperationError as error:
        print(f"no link for the first administrator yet: {error}", flush=True)  # noqa: T201
        return EXIT_FAILED
    link = make_link(settings.base_url, made.token)
    print(  # noqa: T201
        f"the first administrator joins here, once and within {USUAL_DAYS} days: {link}", flush=True
    )
    Path(ADMIN_INVITATION_WANTED).unlink(missing_ok=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
