"""Nothing that was acknowledged is lost, and a first boot may be cut off anywhere."""

import os
import threading
import time

import pytest

from .appliances import Appliance, until
from .conftest import Boot
from .http_client import Account, RefusedError
from .volumes import Volume

# How often each moment of a first boot is tried; the proof by hand uses 4.
ROUNDS = int(os.environ.get("DURABILITY_ROUNDS", "1"))
PROGRAMS = ("synapse", "postgres", "nginx", "agent")


class Writer(threading.Thread):
    """Sends one message after the other, and keeps what the server said it has."""

    def __init__(self, account: Account, room: str) -> None:
        super().__init__(daemon=True)
        self._account, self._room = account, room
        self._ending = threading.Event()
        self.acknowledged: dict[str, str] = {}

    def run(self) -> None:
        number = 0
        while not self._ending.is_set():
            number += 1
            text = f"message {number}"
            try:
                # One transaction per message: what is sent again is not written twice.
                event = self._account.send(self._room, text, transaction=f"writer-{number}")
            except (OSError, RefusedError):
                time.sleep(0.05)
                continue
            self.acknowledged[event] = text

    def end(self) -> None:
        self._ending.set()
        self.join(timeout=120)
        assert not self.is_alive(), "the writer has ended"


def test_no_acknowledged_message_is_lost(boot: Boot, volume: Volume) -> None:
    appliance = boot(
        Appliance(data=volume).expect(r".", "programs and the container are killed under load")
    )
    alice = Account.register(appliance.matrix)
    room = alice.create_room()
    writer = Writer(alice, room)
    writer.start()
    for program in PROGRAMS:
        until(lambda name=program: appliance.program(name).state == "running", f"{program} runs")
        seen = len(writer.acknowledged)
        until(lambda count=seen: len(writer.acknowledged) > count + 5, "messages are acknowledged")
        appliance.kill_process(appliance.program(program).pid)
        until(appliance.is_healthy, f"well again after {program} was killed")
    seen = len(writer.acknowledged)
    until(lambda: len(writer.acknowledged) > seen + 5, "messages are acknowledged")
    appliance.kill()
    appliance.boot()
    seen = len(writer.acknowledged)
    until(lambda: len(writer.acknowledged) > seen, "the writer goes on")
    writer.end()
    read = alice.read(room)
    lost = {event: text for event, text in writer.acknowledged.items() if read.get(event) != text}
    assert lost == {}
    assert len(writer.acknowledged) > 30


@pytest.mark.parametrize("seconds", [0.2, 0.5, 1, 2, 4])
@pytest.mark.parametrize("how", ["stop", "kill"])
@pytest.mark.parametrize("number", range(ROUNDS))
def test_first_boot_may_be_cut_off_anywhere(
    volume: Volume, how: str, seconds: float, number: int
) -> None:
    del number
    appliance = Appliance(data=volume)
    appliance.create()
    try:
        appliance.get_wrapped_container().start()
        time.sleep(seconds)
        if how == "stop":
            assert appliance.shut_down() == 0
        else:
            appliance.kill()
        appliance.boot()
        appliance.make_account("alice")
    finally:
        appliance.stop()
