import asyncio
from pathlib import Path

from appliance.jobs.livekit import Keeper


def test_while_it_waits_for_synapse_it_is_left_alone(tmp_path: Path) -> None:
    keeper = Keeper(begun=tmp_path / "livekit.pid")
    for _ in range(9):
        finding = asyncio.run(keeper.look({}))
        assert (finding.ok, finding.detail) == (True, "starts")
