"""The bridge to WhatsApp, really run: its bot, what it is told of whom, and how it comes back.

No network of WhatsApp's is ever reached: names of the internet mean nothing in these containers.
"""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import nio
import pytest

from .appliances import Appliance, LanAppliance, until
from .bot_conversation import Conversation
from .bridge_endings import expect_its_end
from .conftest import Boot
from .http_client import Account, RefusedError
from .nio_client import Client
from .volumes import Volume

BOT = "@whatsappbot:matrix.localhost"
PREFIX = "!wa"
OWN = "/data/custom/bridges/whatsapp.yaml"
# What the program's own example has not, or has as another kind of value.
COMPARE = """
import json, yaml
from appliance.bridges.own_settings import EXAMPLES, compare
ours = yaml.safe_load(open("/run/bridges/whatsapp/config.yaml"))
ours["double_puppet"].pop("secrets")
known = yaml.safe_load((EXAMPLES / "mautrix-whatsapp.yaml").read_text())
print(json.dumps([*compare(ours, known)]))
"""
# Source: mautrix-whatsapp, `pkg/msgconv`; a voice message of a browser is WebM with Opus.
CONVERT = """
cd $(mktemp -d)
quietly="ffmpeg -hide_banner -loglevel warning"
picture="-f lavfi -i testsrc=duration=1:size=65x65:rate=5"
$quietly $picture moving.gif
$quietly $picture -f lavfi -i sine=duration=1 -shortest clip.webm
for kind in gif webm; do
    $quietly -f $kind -i *.$kind -pix_fmt yuv420p -c:v libx264 -movflags +faststart \
        -filter:v "crop='floor(in_w/2)*2:floor(in_h/2)*2'" $kind.mp4
    ffmpeg -hide_banner -i $kind.mp4 -f null - 2>&1 | grep -q 'Video: h264.* 64x64'
done
$quietly -i clip.webm -vn -c:a libopus voice.ogg
$quietly -i moving.gif still.webp
rm -r "$PWD"
"""
POST_STATUS = """
import sys, urllib.request, urllib.error
token, body = sys.argv[1:]
headers = {"Authorization": "Bearer " + token}
address = "http://127.0.0.1:29300/bridge-status"
request = urllib.request.Request(address, body.encode(), headers)
try:
    print(urllib.request.urlopen(request).status)
except urllib.error.HTTPError as error:
    print(error.code)
"""
WHOAMI = """
import sys, urllib.request, urllib.error
secret = open("/data/credentials/whatsapp_provisioning_secret").read().strip()
address = "http://127.0.0.1:29318/_matrix/provision/v3/whoami?user_id=" + sys.argv[1]
request = urllib.request.Request(address, headers={"Authorization": "Bearer " + secret})
try:
    print(urllib.request.urlopen(request).status)
except urllib.error.HTTPError as error:
    print(error.code)
"""


# Renders what an image with every bridge would, and prints a name that each keeps for itself.
REGISTER_ALL = """
import json
from dataclasses import replace
from pathlib import Path
from appliance import credentials, files, machine, settings
from appliance.bridges.catalogue import CATALOGUE
from appliance.credentials import Credentials
from appliance.machine import Component
from appliance.parts.bridges import PARTS
from appliance.parts.contract import Deployment
every = ",".join(bridge.name for bridge in CATALOGUE)
asked = settings.load({"MATRIX_BRIDGES": every, "MATRIX_BRIDGE_ADMINS": "alice",
    "MATRIX_TELEGRAM_API_ID": "7654321", "MATRIX_TELEGRAM_API_HASH": "0" * 32})
held = tuple(Component(bridge.component, "v1", "built") for bridge in CATALOGUE)
secrets = Credentials({secret.name: secret.make() for part in PARTS for secret in part.credentials})
of = Deployment(asked, secrets, replace(machine.measure(), components=held))
made = [entry for part in PARTS for entry in part.files(of) if "appservices" in entry.path]
files.apply(made)
homeserver = Path("/run/synapse/homeserver.yaml")
paths = json.dumps([entry.path for entry in made])
homeserver.write_text(homeserver.read_text() + f"app_service_config_files: {paths}\\n")
print(json.dumps([f"{bridge.ghosts}someone" for bridge in CATALOGUE]))
"""


def bridged(**options: Any) -> Appliance:
    """Return a trial that was asked for the bridge, where no name of the internet is known."""
    appliance = Appliance(dns=["127.0.0.1"], **options)
    return appliance.with_variables(MATRIX_BRIDGES="whatsapp")


def ask_whoami(appliance: Appliance, user_id: str) -> int:
    return int(appliance.run("python", "-c", WHOAMI, user_id))


def post_status(appliance: Appliance, token: str, post: dict[str, str]) -> int:
    script = ("python", "-c", POST_STATUS, token, json.dumps(post))
    return int(appliance.run(*script, user="whatsapp"))


def find_problems(appliance: Appliance) -> list[str]:
    status = json.loads(appliance.run("sh", "-c", "appliance status --json || true"))
    return list(status["problems"])


@pytest.fixture(scope="module")
def appliance() -> Iterator[Appliance]:
    with bridged() as started:
        yield started
        assert started.unexpected_lines() == []


@pytest.fixture
async def alice(appliance: Appliance, tmp_path: Path) -> AsyncIterator[Client]:
    client = Client(appliance, f"alice-{tmp_path.name.strip('_').lower()}", tmp_path / "store")
    yield client
    await client.nio.close()


def is_well(appliance: Appliance, name: str) -> bool:
    status = json.loads(appliance.run("sh", "-c", "appliance status --json || true"))
    return bool(next(part for part in status["parts"] if part["name"] == name)["healthy"])


@pytest.mark.parametrize("encrypted", [False, True], ids=["plain", "encrypted"])
async def test_bot_answers_help(alice: Client, encrypted: bool) -> None:
    bot = await Conversation.begin(alice, BOT, PREFIX, encrypted=encrypted)
    assert "login" in await bot.ask("help", "ping-matrix")


async def test_log_in_starts_and_tells_the_error_of_a_closed_network(
    appliance: Appliance, alice: Client
) -> None:
    appliance.expect(r"^whatsapp +\| .*web\.whatsapp\.com", "no network of WhatsApp's is there")
    running = appliance.program("whatsapp").pid
    bot = await Conversation.begin(alice, BOT, PREFIX, encrypted=False)
    answer = await bot.ask("login qr", "failed to start login")
    assert "web.whatsapp.com" in answer
    # What needs no network goes on.
    await bot.ask("login phone", "phone number")
    await bot.ask("cancel", "cancelled")
    assert appliance.program("whatsapp").pid == running


async def test_bridge_acts_as_its_user_by_itself(alice: Client) -> None:
    bot = await Conversation.begin(alice, BOT, PREFIX, encrypted=True)
    answer = await bot.ask("ping-matrix", "confirmed valid access token")
    assert alice.user_id in answer


def test_it_cannot_write_its_configuration(appliance: Appliance) -> None:
    script = "cat config.yaml > /dev/null && ! touch config.yaml && ! touch new"
    appliance.run("sh", "-c", f"cd /run/bridges/whatsapp && {script} 2> /dev/null", user="whatsapp")


def test_its_program_knows_every_key_that_it_is_told(appliance: Appliance) -> None:
    told = appliance.run("python", "-c", COMPARE)
    assert json.loads(told) == []
    assert "Ignoring" not in appliance.run("cat", "/run/appliance/logs/whatsapp.log")


def test_media_is_converted_as_bridges_do_it(appliance: Appliance) -> None:
    """What WhatsApp does not take, by the arguments that its bridge gives."""
    appliance.run("sh", "-euc", CONVERT, user="whatsapp")


def test_nobody_of_another_server_may_use_it(appliance: Appliance, alice: Client) -> None:
    assert ask_whoami(appliance, alice.user_id) == 200
    appliance.expect(r"^whatsapp +\| .* WRN Access .* status_code=403 ", "eve may not")
    assert ask_whoami(appliance, "@eve:elsewhere.example") == 403


async def test_a_ghost_reaches_a_client(appliance: Appliance, alice: Client) -> None:
    token = appliance.run("cat", "/data/credentials/whatsapp_as_token").strip()
    ghost = "@whatsapp_15551234567:matrix.localhost"
    session = {"user_id": ghost, "access_token": token, "device_id": ""}
    bridge = Account(appliance.matrix, session)
    account = {"username": "whatsapp_15551234567", "inhibit_login": True}
    bridge.ask("POST", "/v3/register", {"type": "m.login.application_service", **account})
    room = bridge.ask("POST", f"/v3/createRoom?user_id={ghost}", {"invite": [alice.user_id]})
    await alice.nio.join(room["room_id"])
    message = {"msgtype": "m.text", "body": "from the other network"}
    path = f"/v3/rooms/{room['room_id']}/send/m.room.message/1?user_id={ghost}"
    bridge.ask("PUT", path, message)
    heard = await alice.receive(nio.RoomMessageText, ghost)
    assert heard.body == "from the other network"


async def test_killed_it_comes_back(appliance: Appliance, alice: Client) -> None:
    bot = await Conversation.begin(alice, BOT, PREFIX, encrypted=True)
    expect_its_end(appliance, "whatsapp")
    killed = appliance.program("whatsapp").pid
    appliance.kill_process(killed)
    until(lambda: appliance.program("whatsapp").pid not in (None, killed), "it is started again")
    await bot.ask("help", "ping-matrix")


@pytest.mark.parametrize("encrypted", [False, True], ids=["plain", "encrypted"])
async def test_what_is_said_while_it_is_down_is_answered(
    appliance: Appliance, alice: Client, encrypted: bool
) -> None:
    """The keys to what is said too: the first message of a room comes with new ones."""
    expect_its_end(appliance, "whatsapp")
    bot = await Conversation.begin(alice, BOT, PREFIX, encrypted=encrypted)
    appliance.supervisor("stop", "appliance:whatsapp")
    await bot.say("help")
    appliance.supervisor("start", "appliance:whatsapp")
    await bot.hear("ping-matrix")


async def test_reset_it_begins_anew(appliance: Appliance, alice: Client) -> None:
    """Its database gone, Synapse's kept: it finds keys of its bot that it does not know."""
    expect_its_end(appliance, "whatsapp")
    appliance.expect(r"^whatsapp +\| .*cross-signing keys", "its database was lost")
    before = await Conversation.begin(alice, BOT, PREFIX, encrypted=False)
    await before.ask("help", "ping-matrix")
    said = appliance.command("bridge", "reset", "whatsapp", "--yes")
    assert "every log-in of every user" in said
    until(lambda: is_well(appliance, "whatsapp"), "the bridge is ready")
    after = await Conversation.begin(alice, BOT, PREFIX, encrypted=True)
    await after.ask("help", "ping-matrix")
    assert "cross-signing keys" in appliance.run("cat", "/run/appliance/logs/whatsapp.log")


def test_log_in_that_it_says_is_lost_is_in_status_and_not_in_health(appliance: Appliance) -> None:
    """As the bridge posts it; none can really log in here."""
    until(lambda: is_well(appliance, "whatsapp"), "the bridge is ready")
    until(lambda: appliance.found("bridge-logins"), "the agent listens")
    expect_its_end(appliance, "whatsapp")
    appliance.supervisor("stop", "appliance:whatsapp")  # its own posts are for later
    account = {"user_id": "@alice:matrix.localhost", "remote_id": "1555", "remote_name": "+1555"}
    lost = {"state_event": "BAD_CREDENTIALS", "error": "wa-logged-out", **account}
    assert post_status(appliance, "not its token", lost) == 403
    appliance.expect(r"^agent .* WARNING bridge-logins: @alice", "a log-in is said to be lost")
    token = appliance.run("cat", "/data/credentials/whatsapp_as_token").strip()
    assert post_status(appliance, token, lost) == 200
    told = (
        "@alice:matrix.localhost's log-in at WhatsApp as +1555 is lost (wa-logged-out): "
        "to be made anew in the chat with @whatsappbot:matrix.localhost"
    )
    until(lambda: appliance.found("bridge-logins")["detail"] == told, "the agent tells it")
    assert f"bridge-logins: {told}" in find_problems(appliance)
    assert appliance.is_healthy()
    # What it really posts at its start, with nobody logged in.
    appliance.supervisor("start", "appliance:whatsapp")
    until(lambda: appliance.found("bridge-logins")["ok"], "it has no log-in")
    assert appliance.found("bridge-logins")["detail"] == "0 log-ins, none of them lost"
    assert "Failed to update" not in appliance.run("cat", "/run/appliance/logs/whatsapp.log")


def test_status_has_it(appliance: Appliance) -> None:
    until(lambda: is_well(appliance, "whatsapp"), "the bridge is ready")
    assert "nobody has logged in" in appliance.command("bridge", "status", "whatsapp")
    listed = appliance.command("bridge", "list").splitlines()
    (telegram,) = [line for line in listed if line.startswith("telegram ")]
    assert " off " in telegram


def test_dropped_it_stops_and_its_data_stays(boot: Boot, volume: Volume) -> None:
    first = boot(bridged(data=volume))
    until(lambda: is_well(first, "whatsapp"), "the bridge is ready")
    assert first.shut_down() == 0
    without = boot(Appliance(data=volume))
    assert "whatsapp" not in json.loads(without.run("cat", "/run/appliance/programs.json"))
    assert "whatsapp" not in without.run("cat", "/run/synapse/homeserver.yaml")
    assert "whatsapp" in without.run(
        *("psql", "-XAtqh", "/run/postgresql", "-c", "SELECT datname FROM pg_database", "postgres"),
        user="postgres",
    )
    assert Account.register(without.matrix).create_room()
    assert without.shut_down() == 0
    again = boot(bridged(data=volume))
    until(lambda: is_well(again, "whatsapp"), "the bridge is ready")
    # It knew itself: it made no new keys, and changed no table.
    said = again.run("cat", "/run/appliance/logs/whatsapp.log")
    assert "Generated new recovery key" not in said
    assert "Upgrading database" not in said


def test_older_than_its_data_it_is_left_off(boot: Boot, volume: Volume) -> None:
    volume.run("mkdir /data/bridges && echo v0.9999.0 > /data/bridges/whatsapp")
    appliance = boot(bridged(data=volume).expect("appliance: warning: whatsapp", "it is older"))
    assert "warning: whatsapp is left off: its data was written by v0.9999.0" in appliance.logs()
    assert "whatsapp" not in json.loads(appliance.run("cat", "/run/appliance/programs.json"))
    assert not is_well(appliance, "whatsapp")
    assert appliance.is_healthy()
    assert Account.register(appliance.matrix).create_room()
    assert volume.run("cat /data/bridges/whatsapp").strip() == "v0.9999.0"


def test_owners_settings(boot: Boot, volume: Volume) -> None:
    volume.run("mkdir -p /data/custom/bridges")
    volume.run(f"echo 'bridge: {{personal_filtering_space: no}}' > {OWN}")
    ending = bridged(data=volume).run_to_end()
    assert ending.status == 2
    assert "did you mean bridge.personal_filtering_spaces?" in ending.log
    volume.run(f"echo 'bridge: {{personal_filtering_spaces: no}}' > {OWN}")
    appliance = boot(bridged(data=volume))
    until(lambda: is_well(appliance, "whatsapp"), "the bridge is ready")
    config = appliance.run("cat", "/run/bridges/whatsapp/config.yaml")
    assert "personal_filtering_spaces: false" in config


def test_what_is_wrong_is_noticed_although_the_bridge_never_ends(boot: Boot) -> None:
    """It is refused again and again, and no program fails; both at once, as that takes a minute."""
    named, known = (boot(bridged().expect(r".", "it is told what is wrong")) for _ in range(2))
    of_another = known.run("cat", "/data/credentials/doublepuppet_as_token").strip()
    for appliance in (named, known):
        until(lambda one=appliance: is_well(one, "whatsapp"), "the bridge is ready")
    tell(named, "domain", "elsewhere.example")
    tell(known, "as_token", of_another)
    for appliance in (named, known):
        until(lambda one=appliance: is_told(one), "the agent tells", within_seconds=180)
        assert appliance.program("whatsapp").state == "running"
        assert appliance.is_healthy()
    # With a token that is nobody's it ends, and is started again in vain.
    tell(known, "as_token", "nobodys")
    told = "gave up: whatsapp; see `appliance logs whatsapp`"
    until(lambda: known.found("programs")["detail"] == told, "the agent tells", 180)
    assert known.is_healthy()


def tell(appliance: Appliance, key: str, value: str) -> None:
    """Start the bridge anew with another value in its configuration."""
    change = f's/^  {key}: .*/  {key}: "{value}"/'
    appliance.run("sed", "-i", change, "/run/bridges/whatsapp/config.yaml")
    appliance.kill_process(appliance.program("whatsapp").pid)


def is_told(appliance: Appliance) -> bool:
    problems = find_problems(appliance)
    return any("bridges: whatsapp has not been connected for" in one for one in problems)


def test_registrations_of_every_bridge_load_into_one_synapse(boot: Boot) -> None:
    appliance = boot(Appliance().expect(r".", "Synapse is started again with registrations"))
    names = json.loads(appliance.run("python", "-c", REGISTER_ALL))
    assert len(names) > 10
    before = appliance.program("synapse").pid
    appliance.supervisor("restart", "appliance:synapse")
    until(lambda: appliance.program("synapse").pid not in (None, before), "Synapse is started")
    appliance.wait_until_ready()
    for name in names:
        with pytest.raises(RefusedError) as refused:
            Account.register(appliance.matrix, name)
        assert refused.value.answer.json()["errcode"] == "M_EXCLUSIVE", name
    assert Account.register(appliance.matrix).create_room()


def test_asked_for_and_not_in_the_image(volume: Volume) -> None:
    asked = Appliance(data=volume).with_variables(MATRIX_BRIDGES="whatsapp,twitter")
    ending = asked.run_to_end()
    assert ending.status == 2
    assert "MATRIX_BRIDGES: names twitter, but this image holds no mautrix-twitter" in ending.log
    assert "./inv build --bridges twitter" in ending.log


def test_default_ones_that_cannot_be_had_are_told(lan: LanAppliance) -> None:
    status = json.loads(lan.command("status", "--json"))
    (telegram,) = status["left_out"]
    assert telegram.startswith("telegram: ")
    assert "MATRIX_TELEGRAM_API_ID" in telegram or "holds no mautrix-telegram" in telegram
