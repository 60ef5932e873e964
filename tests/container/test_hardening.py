"""What the appliance may do, who runs what, and where its secrets are not."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from .appliances import Appliance, LanAppliance, Volume
from .conftest import Boot
from .http_client import Account

# docs/operations.md, "Hardened".
CAPABILITIES = "CHOWN DAC_OVERRIDE FOWNER KILL NET_BIND_SERVICE SETGID SETUID".split()
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360f8cf"
    "f00f0004010180b2d0d5a40000000049454e44ae426082"
)
USERS = {"postgres": "901", "synapse": "902", "nginx": "903", "agent": "907"}


def test_root_may_be_read_only_with_few_capabilities(boot: Boot) -> None:
    appliance = LanAppliance(
        read_only=True, cap_drop=["ALL"], cap_add=CAPABILITIES, security_opt=["no-new-privileges"]
    )
    appliance.tmpfs = {"/run": "", "/tmp": ""}
    boot(appliance)
    alice = appliance.make_account("alice")
    room = alice.create_room()
    sent = alice.send(room, "hello")
    assert alice.read(room)[sent] == "hello"
    uploaded = alice.upload(PIXEL, "image/png")
    assert uploaded.status == 200, uploaded.body
    assert alice.download(uploaded.json()["content_uri"]).body == PIXEL
    # The health check and the owner's commands work there too.
    assert appliance.is_healthy()
    appliance.command("user", "list")


def test_documented_capabilities_are_the_tested_ones() -> None:
    page = (Path(__file__).parent.parent.parent / "docs/operations.md").read_text()
    assert re.findall(r"--cap-add (\w+)", page) == CAPABILITIES


@pytest.fixture(scope="module")
def appliance() -> Iterator[Appliance]:
    with LanAppliance() as started:
        Account.log_in(started.matrix, started.make_account("alice").user_id)
        yield started


def processes(appliance: Appliance) -> dict[str, tuple[str, str]]:
    """Return user and command of every process, by its number on this machine."""
    rows = appliance.get_wrapped_container().top(ps_args="-eo pid,uid,args")["Processes"]
    return {pid: (uid, command) for pid, uid, command in rows}


def test_only_pid_1_is_root(appliance: Appliance) -> None:
    found = processes(appliance)
    roots = [command for uid, command in found.values() if uid == "0"]
    assert [command for command in roots if "appliance.supervisord" not in command] == []
    assert len(roots) == 1
    for uid, command in found.values():
        for name, number in USERS.items():
            if command.startswith((name, f"{name}:")) or f"appliance.launch.{name}" in command:
                assert uid == number, command


@pytest.mark.skipif(os.geteuid() != 0, reason="missing: root, to read other users' /proc")
def test_no_process_sees_a_secret_in_its_environment_or_arguments(appliance: Appliance) -> None:
    secrets = appliance_secrets(appliance)
    for pid, (_, command) in processes(appliance).items():
        environment = Path(f"/proc/{pid}/environ").read_text()
        assert not any(secret in environment for secret in secrets), command
        assert not any(secret in command for secret in secrets), command
        assert "MATRIX_" not in environment, command


@pytest.mark.skipif(os.geteuid() != 0, reason="missing: root, to read other users' /proc")
def test_given_secret_reaches_no_process(boot: Boot) -> None:
    secret = "a-secret-of-the-owner-1234"
    appliance = boot(Appliance().with_variables(MATRIX_REGISTRATION_SHARED_SECRET=secret))
    for pid, (_, command) in processes(appliance).items():
        assert secret not in Path(f"/proc/{pid}/environ").read_text(), command
        assert secret not in command
    assert secret not in appliance.logs()


def test_nobody_else_can_read_a_secret(appliance: Appliance) -> None:
    found = appliance.run("find", "/data", "/run", "-type", "f", "-perm", "/007").splitlines()
    assert "/run/appliance/programs.json" in found
    for path in found:
        text = appliance.run("sh", "-c", f"cat {path} | tr -d '\\0'")
        assert not any(secret in text for secret in appliance_secrets(appliance)), path


def test_log_holds_no_secret(appliance: Appliance) -> None:
    assert not any(secret in appliance.logs() for secret in appliance_secrets(appliance))


def appliance_secrets(appliance: Appliance) -> list[str]:
    text = appliance.run("sh", "-c", "cat /data/credentials/*")
    secrets = [line.split()[-1] for line in text.splitlines() if line]
    assert len(secrets) >= 4
    return secrets


def listening() -> set[str]:
    """Return what listens on this machine: protocol and local address."""
    table = subprocess.run(["ss", "-Htuln"], capture_output=True, text=True, check=True).stdout
    return {f"{row.split()[0]} {row.split()[4]}" for row in table.splitlines()}


def test_trial_listens_on_loopback_only(boot: Boot) -> None:
    before = listening()
    boot(Appliance().on_host_network())
    new = listening() - before
    assert len(new) >= 3
    assert all(re.match(r"(tcp|udp) (127\.0\.0\.1|\[::1\]):\d+$", one) for one in new), new


_PSQL = "psql -h /run/postgresql -U postgres -d postgres -qAt -v ON_ERROR_STOP=1 -c"
_PARALLEL_JOIN = """
    SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0;
    SET min_parallel_table_scan_size = 0; SET work_mem = '64MB';
    CREATE TABLE big AS SELECT g AS a, repeat('x', 50) AS b FROM generate_series(1, 400000) g;
    ANALYZE big;
    EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF)
        SELECT count(*) FROM big x JOIN big y ON x.a = y.a AND x.b = y.b;
    DROP TABLE big;
"""


def test_parallel_queries_work_with_little_shared_memory(boot: Boot, volume: Volume) -> None:
    appliance = boot(Appliance(data=volume, shm_size="1m"))
    result = appliance.run("sh", "-c", f'{_PSQL} "{_PARALLEL_JOIN}"')
    assert "Parallel Hash" in result
    launched = re.findall(r"Workers Launched: (\d+)", result)
    assert max(map(int, launched)) > 0, result
