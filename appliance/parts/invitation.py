"""The link for the first administrator, which `MATRIX_ADMIN_INVITE` logs at the first boot only."""

from collections.abc import Iterable, Iterator

from appliance.data import read_identity
from appliance.files import Entry, File
from appliance.jobs.admin_invitation import PROGRAM
from appliance.machine import Machine
from appliance.parts.contract import Deployment, Part, Program
from appliance.paths import ADMIN_INVITATION_WANTED
from appliance.settings import Settings


class Invitation(Part):
    """What makes that link."""

    name = "invitation"
    order = 92

    def enabled(self, settings: Settings, machine: Machine) -> bool:
        """Return whether it was asked for."""
        del machine
        return bool(settings.admin_invite)

    def files(self, deployment: Deployment) -> Iterator[Entry]:
        """Yield, before the data has an identity, the mark that a link is wanted.

        It stays until the link is logged: a first boot that was cut off is gone on with.
        """
        del deployment
        if read_identity() is None:
            text = "The link for the first administrator is not logged yet.\n"
            yield File(ADMIN_INVITATION_WANTED, text)

    def programs(self, deployment: Deployment) -> Iterable[Program]:
        """Return the program, which root must run: it makes an administrator."""
        del deployment
        command = ("python", "-m", "appliance.invitations.first")
        return (Program(PROGRAM, command, "root", once=True, on_demand=True),)


PART = Invitation()
