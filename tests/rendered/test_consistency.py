"""Rules that hold for every scenario, whatever it renders."""

import configparser
import json
import re
from pathlib import Path

import pytest
import yaml

from appliance import settings
from appliance.files import Directory, File

from .conftest import Scenario

ROOT = Path(__file__).parent.parent.parent
USERS = ROOT / "rootfs/usr/lib/sysusers.d/matrix-appliance.conf"

KNOWN_KEYS = {
    *("command", "user", "environment", "autostart", "autorestart", "startsecs", "stopsignal"),
    *("stopwaitsecs", "redirect_stderr", "stdout_logfile", "stdout_logfile_maxbytes"),
    *("stdout_logfile_backups", "priority"),
}

# What servers, the boot's certificates and the owner put there.
MADE_WHILE_RUNNING = (
    "/run/appliance/logs/",
    "/run/nginx/work/",
    "/run/tls/current",
    "/data/certificates/",
    "/data/custom",
)


def files_of(scenario: Scenario) -> dict[str, File]:
    return {entry.path: entry for entry in scenario.plan.entries if isinstance(entry, File)}


def users() -> set[str]:
    lines = USERS.read_text().splitlines()
    return {"root"} | {line.split()[1] for line in lines if line.startswith("u")}


def supervisor_configuration(scenario: Scenario) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser()
    parser.read_string(files_of(scenario)["/run/appliance/supervisord.conf"].content)
    return parser


def test_no_path_is_given_twice(scenario: Scenario) -> None:
    paths = [entry.path for entry in scenario.plan.entries]
    assert sorted(paths) == sorted(set(paths))


def test_every_file_has_its_directory(scenario: Scenario) -> None:
    directories = {e.path for e in scenario.plan.entries if isinstance(e, Directory)}
    for path in files_of(scenario):
        assert str(Path(path).parent) in directories, path


def test_a_directory_stands_before_its_files(scenario: Scenario) -> None:
    seen: set[str] = set()
    for entry in scenario.plan.entries:
        if isinstance(entry, Directory):
            seen.add(entry.path)
        else:
            assert str(Path(entry.path).parent) in seen, entry.path


def test_owners_are_users_of_the_image(scenario: Scenario) -> None:
    for entry in scenario.plan.entries:
        assert {entry.owner, entry.group} <= users(), entry.path


def test_secrets_are_in_files_that_say_so(scenario: Scenario) -> None:
    secrets = scenario.plan.deployment.credentials.values()
    for entry in files_of(scenario).values():
        if any(secret in entry.content for secret in secrets):
            assert entry.secret, entry.path
            assert entry.mode & 0o007 == 0, entry.path


def test_every_credential_is_used_somewhere(scenario: Scenario) -> None:
    text = "".join(entry.content for entry in files_of(scenario).values())
    for name, secret in scenario.plan.deployment.credentials.items():
        if name != "admin_password":  # read by the command line alone
            assert secret in text, name


def test_programs_run_as_their_user_with_a_known_key(scenario: Scenario) -> None:
    # supervisord ignores `username=` in silence: the trap that Synapse's own image fell into.
    parser = supervisor_configuration(scenario)
    programs = [name for name in parser.sections() if name.startswith("program:")]
    assert len(programs) == len(scenario.plan.programs)
    for name in programs:
        section = dict(parser[name])
        assert set(section) <= KNOWN_KEYS, name
        assert section["user"] in users(), name
        if section["user"] == "root" and section["autostart"] == "true":
            assert section["command"].startswith("setpriv --reuid="), name


def test_every_program_is_in_one_group(scenario: Scenario) -> None:
    parser = supervisor_configuration(scenario)
    grouped = parser["group:appliance"]["programs"].split(",")
    names = [program.name for _, program in scenario.plan.programs]
    assert sorted([*grouped, *({"postgres"} & {*names})]) == sorted(names)


def test_commands_exist_as_modules(scenario: Scenario) -> None:
    for _, program in scenario.plan.programs:
        command = program.command
        if "python" in command:
            assert command[command.index("python") + 1] == "-m"
            module = ROOT / (command[command.index("python") + 2].replace(".", "/"))
            assert module.with_suffix(".py").exists() or (module / "__main__.py").exists()


def test_yaml_and_json_can_be_read(scenario: Scenario) -> None:
    for path, entry in files_of(scenario).items():
        if path.endswith(".yaml"):
            assert isinstance(yaml.safe_load(entry.content), dict)
        if path.endswith(".json"):
            json.loads(entry.content)


def test_paths_in_configuration_exist(scenario: Scenario) -> None:
    """Every /run and /data path that a configuration names is one that we make or a server does."""
    made_by_servers = {
        "/data/postgres/17",
        "/run/postgresql/databases-ready",
        "/run/synapse-sockets/main.sock",
        "/run/synapse-sockets/synapse.pid",
        "/run/rtc-sockets/rtc.sock",
        "/run/appliance/supervisor.sock",
        "/run/appliance/supervisord.pid",
    }
    # Servers make what is in their own directories, the certificates' program what is published.
    made_below = (
        *("/run/appliance/logs/", "/data/custom", "/run/nginx/work/", "/run/tls/current/"),
        *("/data/certificates/", "/run/coturn/work/", "/run/livekit/work/"),
    )
    made = {entry.path for entry in scenario.plan.entries}
    for path, entry in files_of(scenario).items():
        if path.endswith("settings.json"):  # paths of the owner's own
            continue
        for named in re.findall(r"(?<!templates)/(?:run|data)/[\w./-]*\w", entry.content):
            known = named in made or named in made_by_servers
            assert known or named.startswith(made_below), (path, named)


def test_upload_limit_is_one_number(scenario: Scenario) -> None:
    homeserver = yaml.safe_load(files_of(scenario)["/run/synapse/homeserver.yaml"].content)
    limit = settings.load(scenario.environment).max_upload_size
    assert homeserver["max_upload_size"] == limit


@pytest.mark.parametrize("name", ["trial", "published-ports"])
def test_a_trial_asks_the_internet_nothing(name: str) -> None:
    from .conftest import SCENARIOS, draw, read_environment

    plan = draw(read_environment(SCENARIOS / f"{name}.env"))
    files = {entry.path: entry for entry in plan.entries if isinstance(entry, File)}
    homeserver = yaml.safe_load(files["/run/synapse/homeserver.yaml"].content)
    assert homeserver["trusted_key_servers"] == []
    assert homeserver["federation_domain_whitelist"] == []
    assert homeserver["report_stats"] is False
    assert homeserver["url_preview_enabled"] is False
