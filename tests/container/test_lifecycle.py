"""Starting, changing, losing a process and stopping, as an owner lives through it."""

import contextlib
import json
import re
import threading
import time
from collections.abc import Callable

import pytest

from .appliances import Appliance, LanAppliance, until
from .conftest import Boot
from .http_client import Account, RefusedError
from .volumes import Volume

# What a second boot may leave different, and why.
OF_EACH_BOOT = {
    r"/data/postgres/17/(base|global|pg_\w+)(/.*)?": "the database at work",
    r"/data/postgres/17/postmaster\.(pid|opts)": "Postgres names its process",
    r"/run/postgresql/\.s\.PGSQL\.5432\.lock": "Postgres names its process",
    r"/run/synapse-sockets/synapse\.pid": "Synapse names its process",
    r"/run/nginx/work/nginx\.pid": "nginx names its process",
    r"/run/livekit/work/livekit\.pid": "LiveKit's launcher names its process",
    r"/run/rtc-sockets/rtc\.sock": "there once Synapse answers",
    r"/run/coturn/work/.*": "coturn's process, its database, and where it relays",
    r"/run/appliance/logs/.*": "what the programs said",
    r"/run/agent/state\.json": "when the agent looked last",
}
# Every program that stays; the test of the killed ones proves that none is missing.
PROGRAMS = ("agent", "livekit", "nginx", "postgres", "rtc", "synapse")
ESSENTIAL = ("nginx", "postgres", "synapse")


def test_second_boot_changes_nothing(boot: Boot, volume: Volume) -> None:
    first = boot(LanAppliance(data=volume))
    before = fingerprint(first)
    assert "/run/synapse/homeserver.yaml" in before
    assert "/data/credentials/synapse_signing_key" in before
    assert first.shut_down() == 0
    second = boot(LanAppliance(data=volume))
    assert differences(before, fingerprint(second)) == set()


def test_changed_variable_changes_only_what_follows_from_it(boot: Boot, volume: Volume) -> None:
    first = boot(LanAppliance(data=volume))
    before = fingerprint(first)
    assert first.shut_down() == 0
    second = boot(LanAppliance(data=volume).with_variables(MATRIX_MAX_UPLOAD_SIZE="7M"))
    assert differences(before, fingerprint(second)) == {
        "/run/appliance/settings.json",
        "/run/nginx/api.conf",
        "/run/synapse/homeserver.yaml",
    }
    assert (
        second.make_account("alice").ask("GET", "/v1/media/config")["m.upload.size"] == 7 * 1024**2
    )


def fingerprint(appliance: Appliance) -> dict[str, str]:
    """Return whose every file and directory of /data and /run is, and what it holds."""
    found = appliance.run(
        *("find", "/data", "/run", "-printf", "%u:%g:%m  %p\\n"),
        *("(", "-type", "f", "-exec", "sha256sum", "{}", "+", ")"),
    )
    marks: dict[str, str] = {}
    for line in found.splitlines():
        mark, path = line.split("  ", 1)
        marks[path] = f"{marks.get(path, '')} {mark}"
    return marks


def differences(before: dict[str, str], after: dict[str, str]) -> set[str]:
    """Return the paths that differ, but for what differs at each boot."""
    paths = {path for path in before | after if before.get(path) != after.get(path)}
    return {path for path in paths if not any(re.fullmatch(one, path) for one in OF_EACH_BOOT)}


def test_killed_program_comes_back(boot: Boot) -> None:
    appliance = boot(Appliance().expect(r".", "its programs are killed one after the other"))
    programs = json.loads(appliance.run("cat", "/run/appliance/programs.json"))
    assert sorted(name for name, program in programs.items() if program["stays"]) == [*PROGRAMS]
    alice = Account.register(appliance.matrix)
    room = alice.create_room()
    for program in PROGRAMS:
        until(lambda name=program: appliance.program(name).state == "running", f"{program} runs")
        killed = appliance.program(program).pid
        appliance.run("kill", "-KILL", str(killed))
        until(
            lambda name=program, pid=killed: appliance.program(name).pid not in (None, pid), program
        )
        until(appliance.is_healthy, "all is well")
        text = f"after {program} was killed"
        sent = until(lambda name=program, text=text: alice.try_to_send(room, text, name), text)
        assert alice.read(room)[sent] == text


def test_clients_are_told_to_wait_while_synapse_is_away(boot: Boot) -> None:
    appliance = boot(Appliance().expect(r".", "Synapse is stopped"))
    appliance.supervisor("stop", "appliance:synapse")
    away = appliance.matrix.get("/_matrix/client/versions", Origin=appliance.chat.url)
    assert (away.status, away.json()["errcode"]) == (503, "M_UNKNOWN")
    assert away.headers["Access-Control-Allow-Origin"] == "*"
    assert int(away.headers["Retry-After"]) > 0
    assert not appliance.is_healthy()
    appliance.supervisor("start", "appliance:synapse")
    appliance.wait_until_ready()
    until(appliance.is_healthy, "all is well")


def test_essential_program_that_cannot_start_ends_the_container(volume: Volume) -> None:
    with Appliance(data=volume) as appliance:
        assert appliance.shut_down() == 0
        volume.run("dd if=/dev/zero of=/data/postgres/17/global/pg_control bs=8192 count=1")
        appliance.get_wrapped_container().start()
        ending = appliance.wait_for_end()
    assert ending.status == 1
    assert ending.last_line.startswith("appliance: stopped: postgres could not be started")
    assert "database files are incompatible with server" in ending.log


def test_other_program_that_gives_up_is_reported_and_the_server_stays(boot: Boot) -> None:
    appliance = boot(Appliance().expect(r"agent|gave up", "the agent is killed again and again"))

    def kill_until_it_gives_up() -> bool:
        agent = appliance.program("agent")
        if agent.pid:
            appliance.kill_process(agent.pid)
        return agent.state == "fatal"

    until(kill_until_it_gives_up, "the agent gives up")
    assert appliance.is_healthy(), "the essential parts are well"
    status = json.loads(appliance.run("sh", "-c", "appliance status --json || true"))
    agent = next(part for part in status["parts"] if part["name"] == "agent")
    assert not agent["healthy"]
    assert Account.register(appliance.matrix).create_room()


def test_stop_is_orderly_even_while_clients_wait(
    boot: Boot, record_property: Callable[[str, object], None]
) -> None:
    appliance = boot(
        Appliance().expect(r"upstream prematurely closed", "who waits is told that it ends")
    )
    alice = Account.register(appliance.matrix)
    position = alice.ask("GET", "/v3/sync")["next_batch"]
    waiting = threading.Thread(target=_sync, args=(alice, position), daemon=True)
    waiting.start()
    established = " 01 "  # source: proc_net_tcp in the Linux kernel's documentation
    until(lambda: established in appliance.run("cat", "/proc/net/tcp"), "a client that waits")
    started = time.monotonic()
    status = appliance.shut_down()
    record_property("stop_seconds", round(time.monotonic() - started, 2))
    assert status == 0
    assert "database system is shut down" in appliance.logs().splitlines()[-1]
    appliance.boot()
    assert "not properly shut down" not in appliance.logs()


def _sync(account: Account, position: str) -> None:
    with contextlib.suppress(OSError, RefusedError):  # it is cut off
        account.ask("GET", f"/v3/sync?since={position}&timeout=60000")


@pytest.mark.parametrize("milliseconds", [0, 30, 60, 100, 150, 200, 300])
def test_stop_before_anything_runs(volume: Volume, milliseconds: int) -> None:
    appliance = Appliance(data=volume)
    appliance.create()
    try:
        appliance.get_wrapped_container().start()
        time.sleep(milliseconds / 1000)
        assert appliance.shut_down() == 0
        appliance.boot()
        assert Account.register(appliance.matrix).create_room()
    finally:
        appliance.stop()


def test_memory_of_the_database_follows_the_limit_of_the_container(boot: Boot) -> None:
    appliance = boot(Appliance(mem_limit="768m"))
    shown = appliance.run(
        *("psql", "-XAtqh", "/run/postgresql", "-c", "SHOW shared_buffers", "synapse"),
        user="postgres",
    )
    assert shown.strip() == "96MB", "half of a quarter"
    assert Account.register(appliance.matrix).create_room()


def test_kernel_without_ipv6(boot: Boot) -> None:
    appliance = Appliance(sysctls={"net.ipv6.conf.all.disable_ipv6": "1"})
    boot(appliance.with_variables(MATRIX_LISTEN="0.0.0.0,::1"))
    assert Account.register(appliance.matrix).create_room()
    assert appliance.is_healthy()
