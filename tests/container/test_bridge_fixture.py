"""Messages through a real bridge of mautrix's framework, wired as every other one is.

Its network is the test's own. What holds here holds for all that bridges have in common: the line
of the table, configuration, registration, database, encryption, how one goes down and comes back.
"""

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from . import bridge
from .appliances import Appliance, until
from .bridge.person import Person

# As somebody does who asks Synapse itself.
CLOSE = """
import sys
from appliance.cli import running
running.connect_admin(running.load_settings()).deactivate(sys.argv[1], erase=False)
"""


@pytest.fixture(scope="module")
def appliance() -> Appliance:
    made = Appliance(image=bridge.build_extended(), dns=["127.0.0.1"])
    made.with_variables(MATRIX_BRIDGES=bridge.PROGRAM)
    no_list = "these clients keep no list of direct chats"
    return made.expect(r" ERR Failed to mark room as DM ", no_list)


@pytest.fixture(scope="module")
def network(appliance: Appliance) -> Iterator[bridge.Network]:
    with bridge.serve(appliance) as served:
        yield served
        assert appliance.unexpected_lines() == []


@pytest.mark.parametrize("encrypted", [False, True], ids=["plain", "encrypted"])
async def test_conversation(
    appliance: Appliance, network: bridge.Network, tmp_path: Path, encrypted: bool
) -> None:
    """From the log-in by the bot to files and receipts each way."""
    with contextlib.nullcontext() if encrypted else bridge.encryption_off(appliance):
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


async def test_logged_out_by_its_network(
    appliance: Appliance, network: bridge.Network, tmp_path: Path
) -> None:
    """The user is told by the bot, who looks after the server by `status`; then all goes on."""
    async with Person.enter(appliance, network, tmp_path, "lola", encrypted=True) as person:
        await person.log_in()
        chat = await person.meet("carol-lola")
        assert "connected" in describe(appliance, "lola")
        appliance.expect(r"^agent .* bridge-logins: @lola:.* is lost", "its network ends it")
        network.revoke("lola")
        await person.bot.hear("the network has logged this account out")
        assert "bad_credentials" in describe(appliance, "lola")
        lost = f"{person.client.user_id}'s log-in at Fixture as lola is lost"
        until(lambda: lost in problems(appliance), "who runs the server is told", 90)
        assert appliance.is_healthy()
        chat.write("meanwhile")
        await person.log_in("relogin lola")
        await chat.hear("meanwhile")
        await chat.send("again")
        await chat.delivered("again")
        assert "connected" in describe(appliance, "lola")
        until(lambda: lost not in problems(appliance), "all is well again", 90)


async def test_closed_account_is_logged_out(
    appliance: Appliance, network: bridge.Network, tmp_path: Path
) -> None:
    """By our command at once, and by the agent where it was closed in another way."""
    # Nobody is there any more to leave the rooms with.
    appliance.expect(r"^fixture +\| .* (WRN|ERR) .*M_USER_DEACTIVATED", "she is gone")
    for account in ("mona", "nina"):
        async with Person.enter(appliance, network, tmp_path, account, encrypted=False) as person:
            await person.log_in()
        assert network.is_logged_in(account)
    said = appliance.command("user", "deactivate", "mona", "--yes")
    assert "out of Fixture (mona)" in said
    assert not network.is_logged_in("mona")
    appliance.run("python", "-c", CLOSE, "nina")
    appliance.supervisor("start", "appliance:bridge-leavers")  # as the agent does by the clock
    until(lambda: not network.is_logged_in("nina"), "she is logged out", 90)
    assert "nina" not in appliance.command("bridge", "status", bridge.PROGRAM)


def problems(appliance: Appliance) -> str:
    """Return what `appliance status` has to complain of."""
    return "\n".join(ask_status(appliance)["problems"])


def ask_status(appliance: Appliance) -> dict[str, Any]:
    return dict(json.loads(appliance.run("sh", "-c", "appliance status --json || true")))


def describe(appliance: Appliance, account: str) -> str:
    """Return what `appliance bridge status` says of an account."""
    lines = appliance.command("bridge", "status", bridge.PROGRAM).splitlines()
    (line,) = [one for one in lines if f"@{account}:" in one]
    return line


async def test_nothing_is_lost_whatever_is_killed(
    appliance: Appliance, network: bridge.Network, tmp_path: Path
) -> None:
    assert appliance.unexpected_lines() == []
    appliance.expect(r".", "what it stands on is killed")
    async with Person.enter(appliance, network, tmp_path, "kim", encrypted=True) as person:
        await person.log_in()
        chat = await person.meet("carol-kim")
        for program in (bridge.PROGRAM, "synapse", "postgres"):
            incoming = [f"{number} in, {program} killed" for number in range(6)]
            chat.write(*incoming[:3])
            kill(appliance, program)
            chat.write(*incoming[3:])
            until(appliance.is_ready, "clients are answered", within_seconds=90)
            await chat.hear(*incoming)
            text = f"out, {program} was killed"
            await chat.send(text)
            await chat.delivered(text)
        appliance.supervisor("stop", f"appliance:{bridge.PROGRAM}")
        outgoing = [f"{number} out, no bridge" for number in range(5)]
        for text in outgoing:
            await chat.send(text)
        chat.write("in, no bridge")
        assert not set(outgoing) & set(network.texts("kim"))
        appliance.supervisor("start", f"appliance:{bridge.PROGRAM}")
        await chat.delivered(*outgoing)
        await chat.hear("in, no bridge")
        sent = [text for text in network.texts("kim") if text in outgoing]
        # Once each. One whose key comes later than 3 s is sent on behind those that followed it
        # (mautrix-go 0.26, bridgev2/matrix/matrix.go, `waitLongerForSession`).
        assert sorted(sent) == outgoing


def is_connected(appliance: Appliance) -> bool:
    parts = ask_status(appliance)["parts"]
    return any(part["name"] == bridge.PROGRAM and part["healthy"] for part in parts)


def kill(appliance: Appliance, program: str) -> None:
    """Kill a program and wait until it is started again."""
    killed = appliance.program(program).pid
    appliance.kill_process(killed)
    until(
        lambda: appliance.program(program).pid not in (None, killed),
        f"{program} is started again",
        within_seconds=90,
    )


async def test_what_is_lost_in_flight(
    appliance: Appliance,
    network: bridge.Network,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The framework tells Synapse that it has a message before it sends it: docs/operations.md."""
    appliance.expect(r".", "the bridge is killed")
    texts = [f"{number} in flight" for number in range(5)]
    async with Person.enter(appliance, network, tmp_path, "flo", encrypted=True) as person:
        await person.log_in()
        chat = await person.meet("carol-flo")
        network.slow_down("flo", 1)
        for text in texts:
            await chat.send(text)
        await chat.delivered(texts[0])
        incoming = [f"{number} meanwhile" for number in range(5)]
        chat.write(*incoming)
        kill(appliance, bridge.PROGRAM)
        await chat.hear(*incoming)
        await chat.send("at last")
        await chat.delivered("at last")
        sent = network.texts("flo")
        with capsys.disabled():
            lost = len(set(texts) - set(sent))
            twice = len(sent) - len(set(sent))
            print(f"\nof {len(texts)} messages in flight as a bridge is killed", end=": ")
            print(f"{lost} lost, {twice} sent twice")


async def test_its_database_lost_it_begins_anew(
    appliance: Appliance, network: bridge.Network, tmp_path: Path
) -> None:
    """Synapse's is kept, in which its bot has keys that the bridge does not know any more."""
    appliance.expect(r".", "its database is lost")
    async with Person.enter(appliance, network, tmp_path, "dana", encrypted=True) as person:
        await person.log_in()
        before = await person.meet("carol-dana")
        appliance.supervisor("stop", f"appliance:{bridge.PROGRAM}")
        sql = f"DROP DATABASE {bridge.PROGRAM} WITH (FORCE)"
        query = ("psql", "-XAtqh", "/run/postgresql", "-c", sql, "postgres")
        appliance.run(*query, user="postgres")
        appliance.supervisor("start", "appliance:databases")  # as the next boot does
        # It ends at once, which is an error to who waits for its start.
        start = "supervisorctl -s unix:///run/appliance/supervisor.sock start appliance:fixture"
        appliance.run("sh", "-c", f"{start} || true")
        said = "cat /run/appliance/logs/fixture.log"
        until(
            lambda: "cross-signing keys" in appliance.run("sh", "-c", said),
            "it ends, for there are keys that are not its own",
            within_seconds=90,
        )
        until(lambda: is_connected(appliance), "it has new ones", within_seconds=90)
        await person.begin_anew()
        await person.log_in()
        after = await person.meet("carol-dana")
        assert after.room != before.room
        await after.send("anew")
        await after.delivered("anew")
