"""A module of Synapse that makes an administrator of who registered with such an invitation.

Exact: Synapse keeps the token and the account of a registration in one session, and nothing else is
believed, no name and no time. Runs in Synapse's own process, which imports this at its start.
Source: Synapse documentation, "Account validity callbacks"; synapse/handlers/ui_auth (1.163).
"""

import json
import logging
import time
from typing import TYPE_CHECKING, Any

from appliance.invitations import Notes, digest

if TYPE_CHECKING:
    from synapse.module_api import ModuleApi

_log = logging.getLogger(__name__)

# Source: synapse.handlers.ui_auth.UIAuthSessionDataConstants.
_USER_ID = "registered_user_id"
_TOKEN = "m.login.registration_token"  # noqa: S105 - a key, not a secret
# Synapse tells of a new account a moment before it writes into the session whose it is.
_PAUSES_MILLISECONDS = (200, 1000, 5000, 20000)


class AdminPromotion:
    """Watches registrations for those by an administrator's invitation."""

    def __init__(self, config: dict[str, Any], api: "ModuleApi") -> None:
        del config
        self._api = api
        self._spent: set[str] = set()
        api.register_account_validity_callbacks(on_user_registration=self.note_registration)

    async def note_registration(self, user_id: str) -> None:
        """Look soon at how an account was made, if it may have been by such an invitation."""
        if self._open_invitations():
            self._look_later(user_id, _PAUSES_MILLISECONDS)

    def _look_later(self, user_id: str, pauses: tuple[int, ...]) -> None:
        self._api.delayed_background_call(
            pauses[0], self.judge, user_id, pauses[1:], desc="admin_promotion"
        )

    async def judge(self, user_id: str, pauses: tuple[int, ...]) -> None:
        """Make an account an administrator if its session says that its invitation was one's."""
        tokens = await self._api.run_db_interaction("invitation_of", find_tokens, user_id)
        used = self._open_invitations() & {digest(token) for token in tokens}
        if used:
            await self._api.set_user_admin(user_id, True)
            self._spent |= used
            _log.info("%s is a server administrator now, by invitation", user_id)
        elif not tokens and pauses:
            self._look_later(user_id, pauses)

    def _open_invitations(self) -> set[str]:
        notes, now = Notes().read(), time.time()
        return {key for key, note in notes.items() if note.makes_admin(now)} - self._spent


def find_tokens(transaction: Any, user_id: str) -> list[str]:
    """Return the registration token that an account was made with; none if there was none."""
    # The pattern only spares reading every session; what counts is the comparison below.
    transaction.execute(
        "SELECT serverdict FROM ui_auth_sessions WHERE position(? in serverdict) > 0", (user_id,)
    )
    sessions = [json.loads(row[0]) for row in transaction]
    return [one[_TOKEN] for one in sessions if one.get(_USER_ID) == user_id and one.get(_TOKEN)]
