"""The bridge to Telegram, really run where the image has it; its source is not served everywhere.

Telegram itself is never reached: names of the internet mean nothing in these containers.
"""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import docker
import pytest

from .appliances import Appliance, until
from .bot_conversation import Conversation
from .bridge_endings import expect_its_end
from .nio_client import Client
from .volumes import image_holds

BOT = "@telegrambot:matrix.localhost"
PREFIX = "!tg"


@pytest.fixture(scope="module")
def appliance(docker_client: docker.DockerClient) -> Iterator[Appliance]:
    if not image_holds(docker_client, "mautrix-telegram"):
        pytest.skip("the image has no mautrix-telegram: see artifacts/ in docs/building.md")
    asked = {"BRIDGES": "telegram", "TELEGRAM_API_ID": "7654321", "TELEGRAM_API_HASH": "0" * 32}
    variables = {f"MATRIX_{name}": value for name, value in asked.items()}
    with Appliance(dns=["127.0.0.1"]).with_variables(**variables) as started:
        yield started
        assert started.unexpected_lines() == []


@pytest.fixture
async def alice(appliance: Appliance, tmp_path: Path) -> AsyncIterator[Client]:
    client = Client(appliance, f"alice-{tmp_path.name.strip('_').lower()}", tmp_path / "store")
    yield client
    await client.nio.close()


@pytest.mark.parametrize("encrypted", [False, True], ids=["plain", "encrypted"])
async def test_bot_answers_help(alice: Client, encrypted: bool) -> None:
    bot = await Conversation.begin(alice, BOT, PREFIX, encrypted=encrypted)
    assert "login" in await bot.ask("help", "ping-matrix")


async def test_log_in_asks_for_the_number(alice: Client) -> None:
    bot = await Conversation.begin(alice, BOT, PREFIX, encrypted=True)
    assert "phone" in await bot.ask("login", "login flow")
    await bot.ask("login phone", "phone number")
    await bot.ask("cancel", "cancelled")


async def test_bridge_acts_as_its_user_by_itself(alice: Client) -> None:
    bot = await Conversation.begin(alice, BOT, PREFIX, encrypted=False)
    assert alice.user_id in await bot.ask("ping-matrix", "confirmed valid access token")


async def test_killed_it_comes_back(appliance: Appliance, alice: Client) -> None:
    bot = await Conversation.begin(alice, BOT, PREFIX, encrypted=True)
    expect_its_end(appliance, "telegram")
    killed = appliance.program("telegram").pid
    appliance.kill_process(killed)
    until(lambda: appliance.program("telegram").pid not in (None, killed), "it is started again")
    await bot.ask("help", "ping-matrix")
    await bot.ask("login phone", "phone number")


def test_status_has_it(appliance: Appliance) -> None:
    until(lambda: appliance.found("bridges").get("detail") == "1 of 1 connected", "it is ready")
    assert "nobody has logged in" in appliance.command("bridge", "status", "telegram")
    status = json.loads(appliance.command("status", "--json"))
    assert status["left_out"] == []
