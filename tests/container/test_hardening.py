"""How little the appliance needs, and how little of its secrets anybody can see."""

import json
import re
import struct
import zlib
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest

from .appliances import Appliance, LanAppliance
from .conftest import Boot
from .http_client import Account

# As docs/operations.md names them.
CAPABILITIES = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "NET_BIND_SERVICE", "SETGID", "SETUID"]
GIVEN_SECRET = "given-by-the-owner-0123456789"
# Which secrets each service may read: its own.
OWN_SECRETS: dict[str, set[str]] = {
    "postgres": set(),
    "synapse": {
        *("given", "synapse_form_secret", "synapse_macaroon_secret", "synapse_signing_key"),
        *("whatsapp_as_token", "whatsapp_hs_token"),
        *("doublepuppet_as_token", "doublepuppet_hs_token"),
        "turn_shared_secret",
    },
    "turnserver": {"turn_shared_secret", "/data/certificates/self-signed/privkey.pem"},
    "whatsapp": {
        *("whatsapp_as_token", "whatsapp_hs_token", "whatsapp_pickle_key"),
        *("whatsapp_provisioning_secret", "doublepuppet_as_token"),
    },
    "nginx": {"/data/certificates/self-signed/privkey.pem"},
    "agent": set(),
    "livekit": {"livekit_secret"},
    "rtc": {"livekit_secret"},
    "nobody": set(),
}
# A script that prints every secret there is: its name, a space and a part that nothing else holds.
PRINT_SECRETS = """
cd /data/credentials
for name in *; do echo "$name $(tail -c 41 $name)"; done
for key in $(find /data/certificates -name '*key*.pem'); do echo "$key $(sed -n 2p $key)"; done
"""
MOUNTED = ("/data", "/dev", "/etc", "/proc", "/run", "/sys", "/tmp")


@pytest.fixture(scope="module")
def secretive() -> Iterator[Appliance]:
    """An appliance with every kind of secret: made, given, and keys of certificates."""
    appliance = LanAppliance().with_variables(
        MATRIX_REGISTRATION_SHARED_SECRET=GIVEN_SECRET, MATRIX_BRIDGES="whatsapp"
    )
    with appliance:
        yield appliance
        assert appliance.unexpected_lines() == []


@pytest.fixture(scope="module")
def secrets(secretive: Appliance) -> dict[str, str]:
    """Every secret by its name, as what would be found where it leaked."""
    lines = secretive.run("sh", "-euc", PRINT_SECRETS).splitlines()
    found = dict(line.split(" ", 1) for line in lines)
    assert len(found) >= 7
    assert all(len(value) >= 32 for value in found.values())
    return {**found, "given": GIVEN_SECRET}


def test_root_may_be_read_only_with_few_capabilities(boot: Boot) -> None:
    appliance = LanAppliance(
        read_only=True, cap_drop=["ALL"], cap_add=CAPABILITIES, security_opt=["no-new-privileges"]
    )
    boot(appliance.with_tmpfs_mount("/run").with_tmpfs_mount("/tmp"))
    alice = appliance.make_account("alice")
    room = alice.create_room()
    sent = alice.send(room, "hello")
    assert alice.read(room)[sent] == "hello"
    picture = draw_png(64, 64)
    uri = alice.upload(picture, "image/png").json()["content_uri"]
    assert alice.download(uri).body == picture
    path = f"/_matrix/client/v1/media/thumbnail/{uri.removeprefix('mxc://')}"
    thumbnail = alice.site.get(f"{path}?width=32&height=32&method=scale", **alice.authorization)
    assert thumbnail.headers["Content-Type"].startswith("image/")
    found = json.loads(appliance.command("doctor", "calls", "--json"))
    assert {one["verdict"] for one in found if one["check"].startswith("turn-")} == {"good"}
    # The health check works there too, and an orderly stop.
    assert appliance.is_healthy()
    assert appliance.shut_down() == 0


def test_documented_capabilities_are_the_tested_ones() -> None:
    page = (Path(__file__).parents[2] / "docs/operations.md").read_text()
    assert re.findall(r"--cap-add (\w+)", page) == CAPABILITIES


def test_nothing_is_written_but_where_it_may(trial: Appliance) -> None:
    written = [change["Path"] for change in trial.get_wrapped_container().diff()]
    assert "/run/nginx/nginx.conf" in written
    assert [path for path in written if not path.startswith(MOUNTED)] == []


def test_only_supervisor_is_root(secretive: Appliance) -> None:
    rows = secretive.get_wrapped_container().top(ps_args="-eo pid,uid,args")["Processes"]
    of_root = [command for _, user, command in rows if user == "0"]
    assert len(of_root) == 1, of_root
    assert "appliance.supervisord" in of_root[0]
    accounts = (line.split(":") for line in secretive.run("cat", "/etc/passwd").splitlines())
    names = {account[2]: account[0] for account in accounts}
    services = {"postgres", "synapse", "nginx", "livekit", "rtc", "turnserver", "whatsapp", "agent"}
    assert {names[user] for _, user, _ in rows} == {"root", *services}


def test_no_process_was_told_a_secret(secretive: Appliance, secrets: dict[str, str]) -> None:
    # A process may end while it is looked at.
    told = secretive.look_at_processes("cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline || true")
    assert "appliance.launch.synapse" in told
    assert "SUPERVISOR_PROCESS_NAME=synapse" in told
    assert {name for name, secret in secrets.items() if secret in told} == set()
    assert "MATRIX_" not in told
    of_first = secretive.look_at_processes("cat /proc/1/environ").split("\0")
    assert {line.partition("=")[0] for line in of_first if line} <= {"PATH", "LANG", "TZ"}


@pytest.mark.parametrize("service", OWN_SECRETS)
def test_a_service_can_read_its_own_secrets_only(
    secretive: Appliance, secrets: dict[str, str], service: str
) -> None:
    patterns = [word for secret in secrets.values() for word in ("-e", secret)]
    search = ["grep", "-rhosF", *patterns, "/run", "/data", "/tmp", "/etc", "/var"]
    user = "65534" if service == "nobody" else service
    seen = secretive.get_wrapped_container().exec_run(search, user=user).output.decode()
    readable = {name for name, secret in secrets.items() if secret in seen}
    assert readable == OWN_SECRETS[service]


def test_a_program_that_asks_the_world_trusts_its_authorities(secretive: Appliance) -> None:
    count = "import ssl; print(len(ssl.create_default_context().get_ca_certs()))"
    for user in ("root", "agent", "rtc"):
        assert int(secretive.run("python", "-c", count, user=user)) > 100


def test_the_log_tells_no_secret(secretive: Appliance, secrets: dict[str, str]) -> None:
    secretive.make_account("somebody")
    told = secretive.logs()
    assert {name for name, secret in secrets.items() if secret in told} == set()


def test_trial_listens_on_loopback_only(boot: Boot) -> None:
    before = listening()
    appliance = Appliance().on_host_network()
    boot(appliance)
    opened = listening() - before
    addresses = {ip_address(address) for _, address, _ in opened}
    assert all(address.is_loopback for address in addresses), opened
    port = int(appliance.matrix.url.rpartition(":")[2])
    assert ("tcp", "127.0.0.1", port) in opened
    if Path("/proc/net/if_inet6").read_text():
        assert ("tcp6", "::1", port) in opened
    assert Account.register(appliance.matrix).create_room()


def test_parallel_queries_work_with_little_shared_memory(boot: Boot) -> None:
    """A container has 64 MB of /dev/shm, which a parallel hash join soon fills."""
    queries = """
        SET max_parallel_workers_per_gather = 2; SET min_parallel_table_scan_size = 0;
        SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET work_mem = '256MB';
        SET enable_mergejoin = off; SET enable_nestloop = off; SET debug_parallel_query = on;
        CREATE UNLOGGED TABLE large AS
            SELECT n, repeat('x', 100) AS text FROM generate_series(1, 1000000) AS n;
        ANALYZE large;
        EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF)
            SELECT count(*) FROM large JOIN large AS other USING (n) WHERE other.text <> 'y';
        SELECT count(*) FROM large JOIN large AS other USING (n) WHERE other.text <> 'y';
        DROP TABLE large;
    """
    appliance = boot(Appliance(shm_size="1m"))
    answer = appliance.run(
        *(
            "psql",
            "-XAtq",
            "-v",
            "ON_ERROR_STOP=1",
            "-h",
            "/run/postgresql",
            "-c",
            queries,
            "synapse",
        ),
        user="postgres",
    )
    assert "Parallel Hash" in answer
    assert any(int(number) > 0 for number in re.findall(r"Workers Launched: (\d+)", answer))
    assert answer.splitlines()[-1] == "1000000"


def listening() -> set[tuple[str, str, int]]:
    """Return every socket of this machine to which others can send: as `ss -Htuln` does.

    Source: proc_net_tcp in the Linux kernel's documentation.
    """
    waiting = {"tcp": "0A", "tcp6": "0A", "udp": "07", "udp6": "07"}
    found = set()
    for protocol, state in waiting.items():
        for line in Path("/proc/net", protocol).read_text().splitlines()[1:]:
            _, local, _, its_state, *_ = line.split()
            if its_state == state:
                address, port = local.split(":")
                found.add((protocol, decode_address(address), int(port, 16)))
    return found


def decode_address(text: str) -> str:
    words = [bytes.fromhex(text[at : at + 8])[::-1] for at in range(0, len(text), 8)]
    return str(ip_address(b"".join(words)))


def draw_png(width: int, height: int) -> bytes:
    """Return a picture that a server can scale."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    row = b"\0" + bytes((200, 80, 20)) * width
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(row * height)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )
