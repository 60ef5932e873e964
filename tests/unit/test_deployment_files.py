"""docs/compose.yaml, the systemd unit and the page about them: as hardened as what is tested."""

import re
import shlex
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

DOCS = Path(__file__).parents[2] / "docs"
OPERATIONS = (DOCS / "operations.md").read_text()
# That list is the one with which tests/container/test_hardening.py boots.
CAPABILITIES = re.findall(r"--cap-add (\w+)", OPERATIONS)


@pytest.fixture(scope="module")
def service() -> dict[str, Any]:
    document = yaml.safe_load((DOCS / "compose.yaml").read_text())
    assert document["volumes"] == {"matrix": {"name": "matrix"}}
    return dict(document["services"]["matrix"])


@pytest.fixture(scope="module")
def unit() -> dict[str, str]:
    text = (DOCS / "matrix.service").read_text().replace("\\\n", " ")
    return dict(line.split("=", 1) for line in text.splitlines() if re.match(r"\w+=", line))


@pytest.fixture(scope="module")
def run(unit: dict[str, str]) -> list[str]:
    words = shlex.split(unit["ExecStart"])
    assert words[:3] == ["/usr/bin/docker", "run", "--rm"]
    return words


def following(words: list[str], option: str) -> list[str]:
    return [after for word, after in pairwise(words) if word == option]


def test_compose_is_as_hardened_as_what_is_tested(service: dict[str, Any]) -> None:
    assert service["read_only"] is True
    assert service["tmpfs"] == ["/run", "/tmp"]
    assert service["cap_drop"] == ["ALL"]
    assert service["cap_add"] == CAPABILITIES
    assert service["security_opt"] == ["no-new-privileges:true"]


def test_compose_keeps_data_and_restarts(service: dict[str, Any]) -> None:
    assert service["volumes"] == ["matrix:/data"]
    assert service["network_mode"] == "host"
    assert service["restart"] == "unless-stopped"
    assert service["stop_grace_period"] == "60s"
    assert set(service["logging"]["options"]) == {"max-size", "max-file"}
    assert service["env_file"] == "matrix.env"


def test_unit_is_as_hardened_as_what_is_tested(run: list[str]) -> None:
    assert "--read-only" in run
    assert following(run, "--tmpfs") == ["/run", "/tmp"]
    assert following(run, "--cap-drop") == ["ALL"]
    assert following(run, "--cap-add") == CAPABILITIES
    assert following(run, "--security-opt") == ["no-new-privileges"]


def test_unit_keeps_data_and_stops_in_order(run: list[str], unit: dict[str, str]) -> None:
    assert following(run, "--volume") == ["matrix:/data"]
    assert following(run, "--network") == ["host"]
    assert run[-1] == "matrix-appliance"
    (seconds,) = following(run, "--stop-timeout")
    assert int(unit["TimeoutStopSec"]) > int(seconds)
    # A wrong variable (appliance.errors.EXIT_CONFIGURATION) is not tried again and again.
    assert unit["RestartPreventExitStatus"] == "2"


def test_page_publishes_the_ports_of_the_defaults() -> None:
    page = (DOCS / "deployment.md").read_text()
    defaults = dict(
        re.findall(
            r"^\| `MATRIX_(\w+PORT)` \| port \| `(\d+)`",
            (DOCS / "environment.md").read_text(),
            re.M,
        )
    )
    published = set(
        re.findall(r"-p (\S+)", page.partition("A\nreal server")[2].partition("`docker exec")[0])
    )
    for name in ("HTTPS_PORT", "FEDERATION_PORT", "TURN_PORT", "TURN_TLS_PORT", "LIVEKIT_TCP_PORT"):
        assert f"{defaults[name]}:{defaults[name]}" in published
    first, last = defaults["TURN_RELAY_FIRST_PORT"], defaults["TURN_RELAY_LAST_PORT"]
    udp = (defaults["TURN_PORT"], defaults["TURN_TLS_PORT"], defaults["LIVEKIT_UDP_PORT"])
    for ports in (f"{first}-{last}", *udp):
        assert f"{ports}:{ports}/udp" in published


def test_kubernetes_gets_the_same_capabilities() -> None:
    page = re.sub(r"\s+", " ", (DOCS / "deployment.md").read_text())
    assert f"add: [{', '.join(CAPABILITIES)}]" in page
