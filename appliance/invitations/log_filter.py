"""Keeps invitations out of Synapse's log, which has their tokens in addresses and answers.

As of 1.163, from the level INFO on. Synapse takes access tokens out by itself, but not these.
"""

import logging
import re

# A question whether a token is good, and what a registration was made with.
_TOKEN = re.compile(
    r"(registration_token/validity\?[^\s\"]*?token=|'m\.login\.registration_token': ')[^&\s\"']+"
)


class InvitationFilter(logging.Filter):
    """Passes everything on, without what would let somebody in."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Take tokens out of a line."""
        if record.args and "registration_token" in (line := record.getMessage()):
            record.msg, record.args = _TOKEN.sub(r"\1<redacted>", line), ()
        return True
