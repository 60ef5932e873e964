"""Every scenario as the plan it becomes, on one fixed machine and with fixed secrets."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import pytest

from appliance import entrypoint, parts, settings
from appliance.bridges.catalogue import CATALOGUE
from appliance.credentials import Credentials
from appliance.machine import Component, Machine
from appliance.parts.contract import Deployment

SCENARIOS = Path(__file__).parent.parent / "scenarios"
MACHINE = Machine(
    cores=4,
    memory_bytes=8 * 1024**3,
    memory_limited=False,
    ipv6=True,
    jemalloc=True,
    components=tuple(
        Component(name, "1.0.0", "built")
        for name in ("element-web", "livekit", *(bridge.component for bridge in CATALOGUE))
    ),
)


@dataclass(frozen=True)
class Scenario:
    name: str
    environment: dict[str, str]
    plan: entrypoint.Plan


def read_environment(path: Path) -> dict[str, str]:
    lines = (line.strip() for line in path.read_text().splitlines())
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def draw(environment: dict[str, str], machine: Machine = MACHINE) -> entrypoint.Plan:
    loaded = settings.load(environment)
    secrets = Credentials(
        {
            credential.name: hashlib.sha256(credential.name.encode()).hexdigest()
            for credential in parts.credentials(loaded, parts.enabled(loaded, machine))
        }
    )
    return entrypoint.draw(Deployment(loaded, secrets, machine), environment)


@pytest.fixture(params=sorted(path.stem for path in SCENARIOS.glob("*.env")))
def scenario(request: pytest.FixtureRequest) -> Scenario:
    environment = read_environment(SCENARIOS / f"{request.param}.env")
    return Scenario(request.param, environment, draw(environment))
