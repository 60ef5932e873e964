"""Rules for the nginx of every scenario."""

import re
from pathlib import Path

from appliance.files import Directory, File

from .conftest import Scenario


def configuration(scenario: Scenario) -> dict[str, str]:
    return {
        entry.path: entry.content
        for entry in scenario.plan.entries
        if isinstance(entry, File) and entry.path.startswith("/run/nginx/")
    }


def test_every_file_is_read(scenario: Scenario) -> None:
    files = configuration(scenario)
    text = "".join(files.values())
    for path in files:
        if path != "/run/nginx/nginx.conf":
            included = f"include {path};" in text
            assert included or f"include {Path(path).parent}/*.conf;" in text, path


def test_only_what_is_meant_for_it_is_writable_for_nginx(scenario: Scenario) -> None:
    owned = [
        entry.path
        for entry in scenario.plan.entries
        if entry.owner == "nginx" or (entry.group == "nginx" and entry.mode & 0o020)
    ]
    assert owned == ["/run/nginx/work"]


def test_every_location_with_headers_has_those_of_every_answer(scenario: Scenario) -> None:
    for path, text in configuration(scenario).items():
        for block in re.findall(r"location [^{]*\{(.*?)\n\s*\}", text, re.DOTALL):
            if "add_header" in block:
                assert "headers.conf" in block, path


def test_directories_of_other_parts_are_emptied_at_every_boot(scenario: Scenario) -> None:
    fresh = {
        entry.path
        for entry in scenario.plan.entries
        if isinstance(entry, Directory) and entry.fresh and entry.path.startswith("/run/nginx/")
    }
    assert fresh >= {
        f"/run/nginx/{name}" for name in ("matrix.d", "chat.d", "every.d", "servers.d")
    }


def test_whatever_the_authority_asks_is_answered_on_plain_http(scenario: Scenario) -> None:
    settings = scenario.plan.deployment.settings
    files = configuration(scenario)
    servers = [
        block.partition("server_name localhost 127.0.0.1;")
        for text in files.values()
        for block in re.findall(r"\n *server \{\n(.*?)\n *\}\n(?=\n|\Z)", text, re.DOTALL)
    ]
    of_hosts = [head for head, for_bridges, _ in servers if not for_bridges]
    assert len(of_hosts) >= 3
    include = "include /run/nginx/challenge.conf;"
    listen = "include /run/nginx/listen.conf;"
    answering = [
        include in server or (listen in server and include in files["/run/nginx/listen.conf"])
        for server in of_hosts
    ]
    assert answering == [settings.answers_challenges] * len(of_hosts)
