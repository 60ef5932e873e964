"""Messages through a real bridge of mautrix's framework, wired as every other one is.

Its network is the test's own. What holds here holds for all that bridges have in common: the line
of the table, configuration, registration, database, encryption, how one goes down and comes back.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from . import bridge
from .appliances import Appliance
from .bridge.person import Person

CONFIGURATION = "/run/bridges/fixture/config.yaml"


@pytest.fixture(scope="module")
def appliance() -> Appliance:
    made = Appliance(image=bridge.build_extended(), dns=["127.0.0.1"])
    made.with_variables(MATRIX_BRIDGES=bridge.PROGRAM)
    made.expect(r" ERR Failed to mark room as DM ", "these clients keep no list of direct chats")
    # goolm tries every session of a device, and before 0.30 tells of those that are others'.
    return made.expect(r" WRN Failed to decrypt olm message .*bad mac", "a second session fits")


@pytest.fixture(scope="module")
def network(appliance: Appliance) -> Iterator[bridge.Network]:
    with bridge.serve(appliance) as served:
        yield served
        assert appliance.unexpected_lines() == []


@contextlib.contextmanager
def encryption_off(appliance: Appliance) -> Iterator[None]:
    """Have new chats unencrypted, as an owner's settings may."""
    change_default(appliance, "true", "false")
    try:
        yield
    finally:
        change_default(appliance, "false", "true")


def change_default(appliance: Appliance, before: str, after: str) -> None:
    appliance.run("sed", "-i", f"s/^  default: {before}/  default: {after}/", CONFIGURATION)
    appliance.supervisor("restart", "appliance:fixture")


@pytest.mark.parametrize("encrypted", [False, True], ids=["plain", "encrypted"])
async def test_conversation(
    appliance: Appliance, network: bridge.Network, tmp_path: Path, encrypted: bool
) -> None:
    """From the log-in by the bot to files and receipts each way."""
    with contextlib.nullcontext() if encrypted else encryption_off(appliance):
        account = "alice" if encrypted else "paul"
        async with Person.enter(
            appliance, network, tmp_path, account, encrypted=encrypted
        ) as person:
            await person.bot.ask("login password", "enter your name")
            await person.bot.ask(account, "enter your password")
            await person.bot.ask("a wrong password", "refuses this account")
            await person.log_in()
            chat = await person.meet(f"carol-{account}")
            assert chat.encrypted == encrypted
            await chat.hear(f"carol-{account} is here")
            sent = await chat.send("from Matrix")
            await chat.delivered("from Matrix")
            # What was read, each way.
            network.read(account, chat.name, sent)
            await person.client.sync_until(
                lambda: (chat.ghost, sent) in person.receipts, "the ghost has read it"
            )
            chat.write("read me")
            heard = await chat.hear("read me")
            await person.client.nio.room_read_markers(chat.room, heard.event_id, heard.event_id)
            await person.client.sync_until(
                lambda: len(network.was_read(account)) > 0, "the network is told"
            )
            # What the user writes by another device is the user's here too.
            chat.write("by my telephone", mine=True)
            await chat.hear("by my telephone", sender=person.client.user_id)
            await chat.send_file("out.bin", os.urandom(300_000))
            await chat.receive_file("in.bin", os.urandom(300_000))
            await person.bot.ask(f"logout {account}", "logged out")
            assert not network.is_logged_in(account)
