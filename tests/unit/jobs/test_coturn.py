import asyncio
from ipaddress import ip_address
from pathlib import Path

import pytest

from appliance.jobs import coturn
from appliance.turn.addresses import Relay
from appliance.turn.options import Options, write_relays

LOOPBACK = ip_address("127.0.0.1")
OLD, NEW = ip_address("198.18.0.1"), ip_address("198.18.0.2")


class Watch:
    """The job on files of its own, with a clock and callers that a test decides."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now, self.held, self.starts = 0.0, 0, 0
        self.want(OLD)
        write_relays((Relay(LOOPBACK, OLD),), folder / "relays")
        self.follower = coturn.Follower(
            options=folder / "options",
            relays=folder / "relays",
            restart=self.start,
            count=lambda options: self.held,
            clock=lambda: self.now,
        )

    def want(self, *public: object) -> None:
        """Let these be the public addresses from now on."""
        addresses = tuple(ip_address(str(one)) for one in public)
        options = Options((LOOPBACK,), False, addresses, 49160, 49200, patience_seconds=300)
        (self.folder / "options").write_text(options.to_json())

    def start(self) -> None:
        self.starts += 1
        write_relays((Relay(LOOPBACK, NEW),), self.folder / "relays")

    def look(self, after_seconds: float = 10) -> str:
        self.now += after_seconds
        finding = asyncio.run(self.follower.follow({}))
        assert finding.ok
        return finding.detail


@pytest.fixture
def watch(tmp_path: Path) -> Watch:
    return Watch(tmp_path)


def test_nothing_changed(watch: Watch) -> None:
    assert watch.look() == "relays at 198.18.0.1 (here 127.0.0.1)"
    assert watch.starts == 0


def test_without_calls_a_change_that_stays_is_followed(watch: Watch) -> None:
    watch.want(NEW)
    assert "changed from 198.18.0.1 (here 127.0.0.1) to 198.18.0.2" in watch.look()
    assert watch.starts == 0
    assert watch.look() == "started again at 198.18.0.2 (here 127.0.0.1)"
    assert watch.starts == 1
    assert watch.look() == "relays at 198.18.0.2 (here 127.0.0.1)"


def test_a_change_that_goes_away_again_ends_no_call(watch: Watch) -> None:
    watch.want(NEW)
    watch.look()
    watch.want(OLD)
    watch.look()
    watch.want(NEW)
    watch.look()
    assert watch.starts == 0


def test_calls_are_let_end_for_a_while(watch: Watch) -> None:
    watch.want(NEW)
    watch.held = 2
    watch.look()
    assert watch.look(299).endswith("; waits at most 1 s for calls (ports in use: 2)")
    assert watch.starts == 0
    watch.look(1)
    assert watch.starts == 1


def test_when_the_last_call_has_ended_nobody_waits(watch: Watch) -> None:
    watch.want(NEW)
    watch.held = 2
    watch.look()
    watch.look()
    watch.held = 0
    watch.look()
    assert watch.starts == 1


def test_before_its_first_start_it_is_left_alone(watch: Watch) -> None:
    (watch.folder / "relays").unlink()
    assert watch.look() == "starts"


def test_a_port_counts_that_the_relay_s_own_user_holds(tmp_path: Path) -> None:
    head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n"
    rows = [("0100007F:C008", 0), ("0100007F:C009", 12345), ("0100007F:0035", 0)]
    text = "".join(
        f"   {n}: {local} 00000000:0000 07 00000000:00000000 00:00000000 00000000 {user} 0 1 2\n"
        for n, (local, user) in enumerate(rows)
    )
    (tmp_path / "udp").write_text(head + text)
    options = Options((LOOPBACK,), False, (), 49160, 49200, 300)
    assert coturn.count_ports(options, tmp_path, "root") == 1
