"""A database server of the owner's: Debian's two newest, and what can be wrong with one."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import docker
import pytest
from docker.models.containers import Container
from testcontainers.core.container import DockerContainer

from .appliances import Appliance, until
from .bot_conversation import Conversation
from .http_client import Account
from .nio_client import Client
from .postgres import BOOKWORM, PASSWORD, TRIXIE, Server, serve
from .test_bridges import BOT, PREFIX, is_well
from .test_refusals import files_of, refuse
from .volumes import IMAGE, Volume

CA = "/ca.pem"
WITHIN_SECONDS = 90


@pytest.fixture(scope="module")
def servers(docker_client: docker.DockerClient) -> Iterator[dict[int, Server]]:
    with serve(docker_client) as started:
        yield started


def with_database(server: Server, url: str, data: Volume | None = None) -> Appliance:
    """Return a trial with a bridge, that knows the server's authority and no other name."""
    appliance = Appliance(data=data, network_mode=server.network.name, dns=["127.0.0.1"])
    appliance.with_copy_into_container(server.certificate, CA)
    appliance.expect(
        r"storage\.txn: \[TXN OPERROR\] .*could not serialize access", "Synapse tries that again"
    )
    return appliance.with_variables(
        MATRIX_POSTGRES_URL=url, MATRIX_POSTGRES_CA_BUNDLE=CA, MATRIX_BRIDGES="whatsapp"
    )


@dataclass(frozen=True)
class Use:
    """What people did with a server, to find again."""

    alice: Account
    room: str
    sent: str
    picture: str
    bob: Client
    bot: Conversation

    @classmethod
    async def begin(cls, appliance: Appliance, store: Path) -> "Use":
        """Register, log in, send a message and a picture, and talk to a bridge."""
        Account.register(appliance.matrix, "alice")
        alice = Account.log_in(appliance.matrix, "alice")
        room = alice.create_room()
        sent = alice.send(room, "before")
        picture = alice.upload(b"a picture").json()["content_uri"]
        until(lambda: is_well(appliance, "whatsapp"), "the bridge is ready", WITHIN_SECONDS)
        bob = Client(appliance, "bob", store)
        bot = await Conversation.begin(bob, BOT, PREFIX, encrypted=False)
        await bot.ask("help", "ping-matrix")
        return cls(alice, room, sent, picture, bob, bot)

    def find(self, *after: str) -> None:
        """Read again what was sent, and what came after it."""
        assert list(self.alice.read(self.room)) == [self.sent, *after]
        assert self.alice.download(self.picture).body == b"a picture"


async def test_core_on_the_older_one(
    servers: dict[int, Server], volume: Volume, tmp_path: Path
) -> None:
    server = servers[BOOKWORM]
    server.make_role("reader")
    powerless = refuse(with_database(server, server.url("reader"))).log
    assert "make role synapse, whatsapp and database synapse, whatsapp" in powerless
    assert "ALTER ROLE reader CREATEROLE CREATEDB" in powerless
    with with_database(server, server.url("owner"), volume) as appliance:
        use = await Use.begin(appliance, tmp_path / "bob")
        use.find()
        await use.bob.nio.close()
        assert appliance.unexpected_lines() == []
        assert f"{server.host}:5432 (yours): answers" in appliance.command("status")
        assert "nobody has logged in" in appliance.command("bridge", "status", "whatsapp")
        assert appliance.command("check") == "configuration is valid\n"
        assert appliance.run("ls", "/data/postgres") == "external\n"
        assert "postgres" not in json.loads(appliance.run("cat", "/run/appliance/programs.json"))
        _find_no_secret(appliance)
        twin = refuse(with_database(server, server.url("owner"))).log
        assert "has a role synapse that this appliance did not make" in twin


async def test_everything_outlives_the_newer_one(
    servers: dict[int, Server], volume: Volume, tmp_path: Path
) -> None:
    server = servers[TRIXIE]
    with with_database(server, server.url("owner"), volume) as appliance:
        use = await Use.begin(appliance, tmp_path / "bob")
        assert appliance.unexpected_lines() == []

        appliance.expect(r".", "the server goes away")
        server.stop()
        until(lambda: not appliance.is_healthy(), "health tells", WITHIN_SECONDS)
        server.start()
        until(appliance.is_healthy, "health tells", WITHIN_SECONDS)
        after = until(
            lambda: use.alice.try_to_send(use.room, "after", "after"), "it is back", WITHIN_SECONDS
        )
        use.find(after)
        await use.bot.ask("help", "ping-matrix")

        appliance.command("bridge", "reset", "whatsapp", "--yes")
        until(lambda: is_well(appliance, "whatsapp"), "the bridge is ready", WITHIN_SECONDS)
        anew = await Conversation.begin(use.bob, BOT, PREFIX, encrypted=False)
        await anew.ask("help", "ping-matrix")
        await use.bob.nio.close()

        # The next start comes before the server's, as after a power cut.
        appliance.shut_down()
        server.stop()
        appliance.get_wrapped_container().start()
        waiting = f"waiting for the Postgres server at {server.host}:5432"
        until(lambda: waiting in appliance.logs(), "it says so", WITHIN_SECONDS)
        server.start()
        appliance.wait_until_ready()
        use.find(after)


def _find_no_secret(appliance: Appliance) -> None:
    """Neither the owner's password nor one that was made is where anybody could read it."""
    made = appliance.run("cat", "/data/credentials/postgres_synapse").strip()
    config = appliance.run("cat", "/run/bridges/whatsapp/config.yaml")
    assert appliance.run("cat", "/run/postgres/passwords/synapse").strip().endswith(made)
    told = appliance.look_at_processes("cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline || true")
    readable = appliance.run(
        *("find", "/run", "/data", "-type", "f", "-perm", "-o=r", "-not", "-path", "*/base/*"),
        *("-exec", "cat", "{}", "+"),
    )
    rendered = appliance.command("render")
    bridge = appliance.run("cat", "/data/credentials/postgres_whatsapp").strip()
    assert bridge in config
    for secret in (PASSWORD, quote(PASSWORD, safe=""), made, bridge):
        for place in (told, readable, appliance.logs(), rendered):
            assert secret not in place


def test_volume_and_database_stay_together(servers: dict[int, Server], volume: Volume) -> None:
    server = servers[TRIXIE]
    server.make_role("chat")
    server.make_database("chat", "chat")
    server.make_database("another", "chat")

    def told(data: Volume | None, url: str, **variables: str) -> str:
        appliance = with_database(server, url, data)
        return refuse(appliance.with_variables(MATRIX_BRIDGES="", **variables)).log

    own = f"synapse={server.url('chat', 'chat')}"
    volume.run("mkdir -p /data/postgres/17 && echo 17 > /data/postgres/17/PG_VERSION")
    assert "this volume holds data in /data/postgres/17" in told(volume, own)
    volume.run("mv /data/postgres/17 /data/postgres/17-before")
    with with_database(server, own, volume).with_variables(MATRIX_BRIDGES="") as appliance:
        alice = Account.register(appliance.matrix, "alice")
        room = alice.create_room()
        assert alice.send(room, "before") in alice.read(room)
        assert appliance.unexpected_lines() == []
        assert appliance.shut_down() == 0

        without = told(volume, "", MATRIX_POSTGRES_CA_BUNDLE="")
        assert f"the data of this server are in {server.host}:5432, database chat" in without
        empty = told(volume, f"synapse={server.url('chat', 'another')}")
        assert "has nothing in the database another, but this volume belongs to" in empty
        assert "has a Matrix server in the database chat already" in told(None, own)
        other = told(None, own, MATRIX_SERVER_NAME="localhost")
        assert "the users of another Matrix server, matrix.localhost" in other

        appliance.boot()
        assert alice.read(room)


class Owner:
    """Somebody who tries in a new container what works, before anything is started."""

    def __init__(self, server: Server, container: Container) -> None:
        self.server, self._container = server, container

    def check(self, url: str, **variables: str) -> str:
        """Return what `appliance check` says of an address, which must be refused."""
        told = self._check(url, **variables)
        assert told.exit_code == 2, told.output
        return bytes(told.output).decode()

    def accept(self, url: str, **variables: str) -> None:
        told = self._check(url, **variables)
        assert told.output == b"configuration is valid\n"

    def _check(self, url: str, **variables: str) -> Any:
        environment = {"MATRIX_POSTGRES_URL": url, "MATRIX_POSTGRES_CA_BUNDLE": CA, **variables}
        return self._container.exec_run(["appliance", "check"], environment=environment)


@pytest.fixture(scope="module")
def owner(servers: dict[int, Server], docker_client: docker.DockerClient) -> Iterator[Owner]:
    server = servers[TRIXIE]
    for role in ("synapse_user", "stranger"):
        server.make_role(role)
    server.make_database("good", "synapse_user")
    server.make_database("sorted_otherwise", "synapse_user", locale="C.UTF-8")
    server.make_database("latin", "synapse_user", encoding="LATIN1")
    container = docker_client.containers.run(
        IMAGE,
        ["infinity"],
        entrypoint=["sleep"],
        network=server.network.name,
        dns=["127.0.0.1"],
        detach=True,
    )
    try:
        container.exec_run(["sh", "-c", f"echo '{server.certificate.decode()}' > {CA}"])
        yield Owner(server, container)
    finally:
        container.remove(force=True, v=True)


@pytest.mark.parametrize(
    ("user", "database", "told"),
    [
        ("synapse_user", "sorted_otherwise", "UTF8, C.UTF-8, C.UTF-8; it must be UTF8, C, C"),
        ("synapse_user", "latin", "LATIN1, C, C; it must be UTF8, C, C"),
        ("synapse_user", "missing", "has no database missing: CREATE DATABASE missing OWNER"),
        ("synapse_user", "closed", "lets synapse_user not in from this machine"),
        ("stranger", "good", "does not let stranger make tables in the database good"),
        ("nobody", "good", "refuses the password of nobody, or has no such user"),
    ],
)
def test_a_database_that_will_not_do_is_told(
    owner: Owner, user: str, database: str, told: str
) -> None:
    assert told in owner.check(f"synapse={owner.server.url(user, database)}")


def test_a_server_that_will_not_do_is_told(owner: Owner) -> None:
    server = owner.server
    good = server.url("synapse_user", "good")
    owner.accept(f"synapse={good}")
    wrong = server.url("synapse_user", "good", password="hunter2hunter2")
    refused = owner.check(f"synapse={wrong}")
    assert "refuses the password of synapse_user" in refused
    assert "hunter2" not in refused
    by_another_name = server.url("synapse_user", "good", host=f"also-{server.host}")
    assert "has a certificate for another name" in owner.check(f"synapse={by_another_name}")
    owner.accept(f"synapse={by_another_name}?sslmode=verify-ca")
    distrusted = owner.check(f"synapse={good}", MATRIX_POSTGRES_CA_BUNDLE="")
    assert "MATRIX_POSTGRES_CA_BUNDLE" in distrusted
    owner.accept(f"synapse={good}?sslmode=require", MATRIX_POSTGRES_CA_BUNDLE="")
    nowhere = server.url("owner").replace(":5432", ":1")
    assert "does not answer; a start would wait for it" in owner.check(nowhere)
    server.query("ALTER SYSTEM SET ssl = off")
    server.query("SELECT pg_reload_conf()")
    try:
        assert "takes no TLS" in until(
            lambda: (said := owner.check(f"synapse={good}")) and "TLS" in said and said,
            "the server has read its configuration",
        )
        owner.accept(f"synapse={good}?sslmode=disable")
    finally:
        server.query("ALTER SYSTEM RESET ssl")
        server.query("SELECT pg_reload_conf()")


def test_nothing_is_started_and_nothing_is_made(servers: dict[int, Server], volume: Volume) -> None:
    server = servers[TRIXIE]
    wrong = server.url("owner", password="hunter2hunter2")
    ending = refuse(with_database(server, wrong, volume))
    assert "MATRIX_POSTGRES_URL: the Postgres server at" in ending.last_line
    assert "hunter2" not in ending.log
    assert files_of(volume) == ""


def test_a_stop_while_it_waits_is_orderly(servers: dict[int, Server], volume: Volume) -> None:
    server = servers[TRIXIE]
    nowhere = server.url("owner").replace(":5432", ":1")
    appliance = with_database(server, nowhere, volume)
    try:
        DockerContainer.start(appliance)
        waiting = f"waiting for the Postgres server at {server.host}:1"
        until(lambda: waiting in appliance.logs(), "it says so", WITHIN_SECONDS)
        assert appliance.shut_down() == 0
        assert files_of(volume) == ""
    finally:
        appliance.stop()
