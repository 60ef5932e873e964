"""A clock of one appliance's own, that can be wrong and jump."""

import io
import tarfile
from pathlib import Path

from . import Internet
from .appliance import InternetAppliance

_FOLDER = "/clock"


class Clock:
    """The time of day of the containers that have it; steady clocks are everybody's."""

    def __init__(self, internet: Internet, folder: Path) -> None:
        self._library, self._preload = folder / "clock.so", folder / "ld.so.preload"
        self._offset = folder / "offset"
        self._library.write_bytes(_read(internet, "/clock.so"))
        self._preload.write_text(f"{_FOLDER}/clock.so\n")
        self.set(days=0)
        for path in (folder, self._library, self._preload, self._offset):
            path.chmod(0o755)
        self._folder = folder

    def set(self, *, days: float = 0, hours: float = 0) -> None:
        """Let it be so far ahead of the true time, or behind."""
        self._hours = days * 24 + hours
        self.pass_by(hours=0)

    def pass_by(self, *, hours: float) -> None:
        """Let some time pass at once."""
        self._hours += hours
        self._offset.write_text(f"{round(self._hours * 3600)}\n")

    def give_to(self, appliance: InternetAppliance) -> None:
        """Let every program of an appliance go by it."""
        appliance.expect(r"wheel timer that hasn't been read", "Synapse wonders where time went")
        appliance.with_volume_mapping(self._folder, _FOLDER, "ro")
        appliance.with_volume_mapping(self._preload, "/etc/ld.so.preload", "ro")


def _read(internet: Internet, path: str) -> bytes:
    """Return a file of the internet's image."""
    stream, _ = internet.container.get_archive(path)
    with tarfile.open(fileobj=io.BytesIO(b"".join(stream))) as archive:
        (member,) = archive.getmembers()
        content = archive.extractfile(member)
        assert content
        return content.read()
