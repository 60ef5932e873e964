"""The `appliance` command, as the owner uses it."""

import json
import re
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import docker
import pytest

from .appliances import Appliance, LanAppliance, until
from .conftest import Boot
from .http_client import PASSWORD, Account, RefusedError
from .volumes import IMAGE, Volume, run_beside

PARTS = {"postgres", "synapse", "nginx", "landing", "agent"}


@dataclass(frozen=True)
class Outcome:
    status: int
    output: str
    complaints: str


def attempt(
    appliance: Appliance,
    *arguments: str,
    variables: Mapping[str, str] | None = None,
    user: str = "root",
) -> Outcome:
    """Run `appliance …` inside, whatever comes of it."""
    result = appliance.get_wrapped_container().exec_run(
        ["appliance", *arguments], environment=dict(variables or {}), user=user, demux=True
    )
    output, complaints = (bytes(part or b"").decode() for part in result.output)
    return Outcome(result.exit_code, output, complaints)


def type_into(appliance: Appliance, *arguments: str, answers: Mapping[str, str]) -> str:
    """Run `appliance …` inside on a terminal, answering its questions; return what it showed."""
    container = appliance.get_wrapped_container()
    api = container.client.api
    started = api.exec_create(container.id, ["appliance", *arguments], stdin=True, tty=True)
    terminal: socket.socket = api.exec_start(started["Id"], tty=True, socket=True)._sock
    terminal.settimeout(60)
    shown = ""
    for question, answer in answers.items():
        while question not in shown:
            text = terminal.recv(4096).decode()
            assert text, shown
            shown += text
        terminal.sendall(f"{answer}\n".encode())
    while text := terminal.recv(4096).decode():
        shown += text
    assert api.exec_inspect(started["Id"])["ExitCode"] == 0, shown
    return shown


def listed(appliance: Appliance, *options: str) -> dict[str, Any]:
    """Return the accounts that the owner is shown, by their names."""
    users = json.loads(appliance.command("user", "list", "--json", *options))
    return {user["user_id"][1:].partition(":")[0]: user for user in users}


def query(appliance: Appliance, sql: str) -> str:
    """Ask Synapse's database as root does."""
    socket_directory = "/run/postgresql"
    return appliance.run("psql", "-XAth", socket_directory, "-U", "postgres", "-c", sql, "synapse")


def any_name() -> str:
    return f"cli-{secrets.token_hex(4)}"


def test_status_of_a_server_that_is_well(lan: LanAppliance) -> None:
    until(lambda: not json.loads(lan.command("status", "--json"))["problems"], "the agent spoke")
    report = json.loads(lan.command("status", "--json"))
    parts = {part["name"]: part for part in report["parts"]}
    assert parts.keys() >= PARTS
    assert {name for name, part in parts.items() if part["essential"]} == {
        "postgres",
        "synapse",
        "nginx",
    }
    assert all(part["healthy"] for part in parts.values())
    assert parts["synapse"]["memory_bytes"] > 50 * 1024**2
    assert report["server_name"] == "matrix.home.lan"
    shown = lan.command("status")
    assert all(name in shown for name in PARTS)
    assert "https://chat.home.lan" in shown
    assert lan.command("health").startswith("healthy: ")


def test_a_part_that_stopped_is_named(boot: Boot) -> None:
    appliance = boot(Appliance().expect(r"connect\(\)|upstream", "Synapse is stopped"))
    appliance.supervisor("stop", "appliance:synapse")
    health = attempt(appliance, "health")
    assert (health.status, health.output.startswith("unhealthy: synapse: ")) == (1, True)
    status = attempt(appliance, "status", "--json")
    assert status.status == 1
    parts = {part["name"]: part for part in json.loads(status.output)["parts"]}
    assert (parts["synapse"]["healthy"], parts["synapse"]["state"]) == (False, "stopped")
    assert parts["postgres"]["healthy"]


def test_check_judges_the_variables_of_the_shell(lan: LanAppliance) -> None:
    assert attempt(lan, "check") == Outcome(0, "configuration is valid\n", "")
    bad = {"MATRIX_URL_PREVIEWS": "perhaps", "MATRIX_DOMAN": "home.lan"}
    outcome = attempt(lan, "check", variables=bad)
    assert (outcome.status, outcome.output) == (2, "")
    first, second = outcome.complaints.splitlines()
    assert first.startswith("MATRIX_DOMAN: ")
    assert first.endswith("did you mean MATRIX_DOMAIN?")
    assert second.startswith("MATRIX_URL_PREVIEWS: 'perhaps' is not one of")


def test_render_tells_what_would_change_and_no_secret(lan: LanAppliance) -> None:
    values = lan.run("sh", "-c", "cat /data/credentials/*").split()
    assert len(values) >= 5
    assert attempt(lan, "render", "--diff") == Outcome(0, "", "")
    given = {"MATRIX_MAX_UPLOAD_SIZE": "7M", "MATRIX_REGISTRATION_SHARED_SECRET": PASSWORD}
    difference = attempt(lan, "render", "--diff", variables=given)
    assert difference.status == 1
    assert "+++ /run/nginx/api.conf" in difference.output
    assert "+++ /run/synapse/homeserver.yaml" in difference.output
    assert f"+max_upload_size: {7 * 1024**2}\n" in difference.output
    assert "/run/synapse/registration_shared_secret: secret, differs" in difference.output
    whole = attempt(lan, "render", variables=given)
    assert whole.status == 0
    assert "==> /run/synapse/form_secret (root:synapse 0640)\nsecret, " in whole.output
    for value in (PASSWORD, *values):
        assert value not in difference.output + whole.output


def test_an_account_from_its_making_to_its_end(lan: LanAppliance) -> None:
    name = any_name()
    alice = lan.make_account(name)
    assert listed(lan)[name]["admin"] is False
    again = attempt(lan, "user", "add", f"@{name}:matrix.home.lan")
    assert again.status == 1
    assert again.complaints.startswith(f"appliance: @{name}:matrix.home.lan exists already")

    lan.command("user", "admin", name, "--grant")
    assert listed(lan)[name]["admin"] is True
    lan.command("user", "admin", alice.user_id, "--revoke")
    assert listed(lan)[name]["admin"] is False

    asked = attempt(lan, "user", "deactivate", name)
    assert (asked.status, "--yes" in asked.complaints) == (2, True)
    assert alice.ask("GET", "/v3/account/whoami")["user_id"] == alice.user_id
    lan.command("user", "deactivate", name, "--yes")
    with pytest.raises(RefusedError):
        alice.ask("GET", "/v3/account/whoami")
    assert name not in listed(lan)
    assert listed(lan, "--all")[name]["deactivated"] is True
    gone = attempt(lan, "user", "password", name)
    assert (gone.status, "is deactivated" in gone.complaints) == (1, True)


def test_a_new_password_logs_devices_out_unless_they_are_kept(lan: LanAppliance) -> None:
    name = any_name()
    first = lan.make_account(name)
    change = ("user", "password", name, "--password-stdin")
    lan.command(*change, "--keep-devices", standard_input=PASSWORD)
    second = Account.log_in(lan.matrix, name)
    assert first.ask("GET", "/v3/account/whoami")["user_id"] == second.user_id
    lan.command(*change, standard_input=PASSWORD)
    for device in (first, second):
        with pytest.raises(RefusedError, match="M_UNKNOWN_TOKEN"):
            device.ask("GET", "/v3/account/whoami")
    lan.expect(f"Failed password login for user @{name}:", "the old password is tried")
    made = lan.command("user", "password", name).splitlines()[-1].removeprefix("password: ")
    assert made != PASSWORD
    with pytest.raises(RefusedError, match="M_FORBIDDEN"):
        Account.log_in(lan.matrix, name)


def test_a_password_typed_on_a_terminal_is_not_shown(lan: LanAppliance) -> None:
    name = any_name()
    shown = type_into(
        lan, "user", "add", name, answers={"one is made": PASSWORD, "Again": PASSWORD}
    )
    assert PASSWORD not in shown
    assert Account.log_in(lan.matrix, name).user_id == f"@{name}:matrix.home.lan"
    shown = type_into(lan, "user", "add", any_name(), answers={"one is made": ""})
    assert "password: " in shown


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("@alice:example.org", "is not of this server"),
        ("no body", "can only contain"),
        ("", "is empty"),
    ],
)
def test_a_name_that_cannot_be(lan: LanAppliance, name: str, complaint: str) -> None:
    outcome = attempt(lan, "user", "add", name)
    assert (outcome.status, outcome.output) == (1, "")
    assert complaint in outcome.complaints
    assert "Traceback" not in outcome.complaints


def test_who_is_not_there(lan: LanAppliance) -> None:
    outcome = attempt(lan, "user", "password", "nobody")
    assert (outcome.status, outcome.output) == (1, "")
    assert "there is no @nobody:matrix.home.lan" in outcome.complaints


def test_the_internal_account_stays_out_of_sight_and_at_one_device(lan: LanAppliance) -> None:
    lan.expect(r"Invalid access token in auth", "the kept token is no good")
    listed(lan)
    lan.run("rm", "/run/appliance/admin_token")
    assert "appliance" not in listed(lan)
    lan.run("sh", "-c", "echo bogus > /run/appliance/admin_token")
    assert listed(lan, "--all")["appliance"]["internal"] is True
    assert lan.run("stat", "-c", "%U %a", "/run/appliance/admin_token") == "root 600\n"
    devices = query(lan, "SELECT device_id FROM devices WHERE user_id LIKE '@appliance%'")
    assert devices.split() == ["APPLIANCE"]
    outcome = attempt(lan, "user", "deactivate", "appliance", "--yes")
    assert (outcome.status, "own account" in outcome.complaints) == (1, True)


def test_nobody_finds_the_internal_account(boot: Boot) -> None:
    appliance = boot(Appliance().with_variables(MATRIX_USER_DIRECTORY_SEARCH_ALL="yes"))
    alice, bob = appliance.make_account("alice"), appliance.make_account("bob-of-appliance")
    listed(appliance)

    def find() -> list[str]:
        found = alice.ask("POST", "/v3/user_directory/search", {"search_term": "appliance"})
        return [user["user_id"] for user in found["results"]]

    assert until(find, "the directory is filled") == [bob.user_id]


def test_logs_are_those_of_the_programs(lan: LanAppliance) -> None:
    last = lan.command("logs", "postgres", "-n", "1")
    assert len(last.splitlines()) == 1
    assert last.strip() in lan.run("cat", "/run/appliance/logs/postgres.log")
    named = lan.command("logs", "-n", "1").splitlines()
    assert any(line.startswith("postgres") and last.strip() in line for line in named)
    outcome = attempt(lan, "logs", "postgers")
    assert (outcome.status, "postgres" in outcome.complaints) == (1, True)


def test_new_lines_are_followed(lan: LanAppliance) -> None:
    mark = f"mark-{secrets.token_hex(8)}"
    script = (
        "timeout 10 appliance logs agent -f -n 0 > /tmp/followed & "
        f"sleep 1; echo {mark} >> /run/appliance/logs/agent.log; "
        f"until grep -q {mark} /tmp/followed; do sleep 0.1; kill -0 $! || exit 1; done; kill $!"
    )
    lan.run("sh", "-c", script)


def test_secrets_are_in_no_log(lan: LanAppliance) -> None:
    lan.make_account(any_name())
    said = lan.logs() + lan.run("sh", "-c", "cat /run/appliance/logs/*")
    values = lan.run("sh", "-c", "cat /data/credentials/* /run/appliance/admin_token").split()
    for value in (PASSWORD, *values):
        assert value not in said


@pytest.mark.parametrize(
    "verb", [("user", "list"), ("status",), ("logs",), ("check",)], ids=" ".join
)
def test_only_root_may(lan: LanAppliance, verb: tuple[str, ...]) -> None:
    outcome = attempt(lan, *verb, user="agent")
    assert (outcome.status, outcome.output) == (1, "")
    assert re.fullmatch(r"appliance: /\S+: only root may read it: .*\n", outcome.complaints)


@pytest.mark.parametrize("verb", ["user list", "invite", "status", "logs", "health"])
def test_without_a_server_the_command_says_so(
    docker_client: docker.DockerClient, verb: str
) -> None:
    script = f"appliance {verb} 2>&1 && exit 1; echo status $?"
    said = run_beside(docker_client, script)
    assert "the server is not running in this container" in said
    assert said.endswith("status 1\n")


def test_a_container_with_arguments_is_the_command(
    docker_client: docker.DockerClient, volume: Volume
) -> None:
    mounted = {volume.name: {"bind": "/data", "mode": "rw"}}

    def run(*arguments: str, **variables: str) -> bytes:
        return bytes(
            docker_client.containers.run(
                IMAGE, list(arguments), environment=variables, volumes=mounted, remove=True
            )
        )

    assert run("version").startswith(b"matrix-appliance ")
    assert run("check") == b"configuration is valid\n"
    assert volume.run("ls -A /data") == ""
    with pytest.raises(docker.errors.ContainerError) as failed:
        run("check", MATRIX_DOMAIN="matrix.example.org")
    assert failed.value.exit_status == 2
    assert b"MATRIX_DOMAIN=example.org" in failed.value.stderr


def test_licences_and_where_the_sources_are(docker_client: docker.DockerClient) -> None:
    listing = run_beside(docker_client, "appliance licences")
    assert "AGPL-3.0" in listing
    assert "https://github.com/element-hq/synapse/" in listing
    text = run_beside(docker_client, "appliance licences --full synapse")
    assert "GNU AFFERO GENERAL PUBLIC LICENSE" in text
