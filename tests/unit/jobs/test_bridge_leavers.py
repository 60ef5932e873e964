import time
from pathlib import Path

from appliance.jobs.bridge_leavers import Keeper


def test_it_is_looked_for_where_somebody_has_logged_in(tmp_path: Path) -> None:
    logins = tmp_path / "logins.json"
    keeper = Keeper(str(logins))
    later = time.monotonic() + 301
    assert not keeper.is_due(later)
    logins.write_text("[]\n")
    assert not keeper.is_due(later)
    logins.write_text('[{"bridge": "whatsapp"}]\n')
    assert keeper.is_due(later)
    # The boot needs the processor first.
    assert not keeper.is_due(time.monotonic())
