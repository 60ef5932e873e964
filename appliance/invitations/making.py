"""Makes an invitation: its token in Synapse, and the note of what Synapse does not keep of it."""

import time
from typing import TYPE_CHECKING

from appliance.codes import make_code
from appliance.invitations import Note, Notes

if TYPE_CHECKING:
    from appliance.synapse_admin import RegistrationToken, SynapseAdmin

USUAL_DAYS = 7
_DAY_SECONDS = 86400


def make_invitation(
    admin_api: "SynapseAdmin", note: Note, uses: int = 1, days: int = USUAL_DAYS
) -> "RegistrationToken":
    """Make an invitation for so many uses and days, 0 for any number and for ever."""
    expires = int(time.time()) + days * _DAY_SECONDS if days else None
    notes, token = Notes(), make_code()
    notes.keep_only(one.token for one in admin_api.tokens())
    # First, so that nobody can have used it without.
    notes.add(token, Note(note.name, note.admin, expires))
    return admin_api.create_token(token, uses or None, expires)
