"""docs/compose.yaml, started as it is, but for the image, its names and free ports."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
import yaml

from appliance.testing import free_port

from .appliances import until
from .http_client import Site
from .volumes import IMAGE

FILE = Path(__file__).parents[2] / "docs/compose.yaml"
NAME = "matrix-appliance-compose-test"
PORTS = ("HTTP_PORT", "SYNAPSE_PORT", "LIVEKIT_PORT", "LIVEKIT_TCP_PORT", "LIVEKIT_UDP_PORT")


def find_compose() -> list[str] | None:
    """Return the command, of Docker's plugin or the program before it."""
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    plugin = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
    return ["docker", "compose"] if plugin.returncode == 0 else None


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """The port of a server that Compose has started."""
    compose = find_compose()
    if compose is None:
        pytest.skip("no docker compose: the file is judged by tests/unit alone")
    document = yaml.safe_load(FILE.read_text())
    document["services"]["matrix"] |= {"image": IMAGE, "container_name": NAME}
    document["volumes"]["matrix"]["name"] = NAME
    (tmp_path / "compose.yaml").write_text(yaml.safe_dump(document))
    ports = {name: free_port() for name in PORTS}
    lines = [f"MATRIX_{name}={number}\n" for name, number in ports.items()]
    (tmp_path / "matrix.env").write_text("".join(lines))
    command = [*compose, "-p", NAME, "-f", "compose.yaml"]
    try:
        subprocess.run([*command, "up", "-d"], cwd=tmp_path, check=True)
        yield ports["HTTP_PORT"]
    finally:
        subprocess.run([*command, "down", "-v"], cwd=tmp_path, check=True)


def test_compose_starts_a_healthy_server(port: int, docker_client: docker.DockerClient) -> None:
    container = docker_client.containers.get(NAME)
    until(lambda: container.exec_run(["appliance", "health"]).exit_code == 0, "health", 90)
    answer = Site(f"matrix.localhost:{port}", port).get("/_matrix/client/versions")
    assert answer.status == 200
    container.reload()
    assert container.attrs["HostConfig"]["ReadonlyRootfs"]
    assert container.attrs["Config"]["StopTimeout"] == 60
