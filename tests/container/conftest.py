"""What every container test starts from: the built image, appliances, and their quiet logs."""

import contextlib
from collections.abc import Callable, Iterator

import docker
import pytest
from docker.errors import DockerException, ImageNotFound
from testcontainers.core.config import testcontainers_config

from .appliances import Appliance, LanAppliance
from .callers import Scene, make_network, set_up
from .internet import Internet, open_internet
from .volumes import IMAGE, Volume, image_holds

# Fixtures end what they start; a reaper's image would have to be pulled from a registry.
testcontainers_config.ryuk_disabled = True

Boot = Callable[[Appliance], Appliance]


@pytest.fixture(scope="session", autouse=True)
def docker_client() -> docker.DockerClient:
    """Docker, with the image under test."""
    try:
        client = docker.from_env()
        client.images.get(IMAGE)
    except ImageNotFound:
        pytest.fail(f"there is no image {IMAGE}: run ./inv build first", pytrace=False)
    except DockerException as error:
        pytest.fail(f"no Docker engine answers ({error})", pytrace=False)
    return client


@pytest.fixture(scope="session")
def element_in_image(docker_client: docker.DockerClient) -> bool:
    """Whether the image has the web client."""
    return image_holds(docker_client, "element-web")


@pytest.fixture(scope="session")
def shared() -> list[Appliance]:
    """The appliances that several modules use."""
    return []


@pytest.fixture(scope="session")
def trial(shared: list[Appliance]) -> Iterator[Appliance]:
    """A trial at published ports, where anybody may register."""
    with Appliance().with_variables(MATRIX_MAX_UPLOAD_SIZE="1M") as appliance:
        shared.append(appliance)
        yield appliance


@pytest.fixture(scope="session")
def lan(shared: list[Appliance]) -> Iterator[LanAppliance]:
    """A server for a home network, with HTTPS and registration by token."""
    with LanAppliance().with_variables(MATRIX_BRIDGES="") as appliance:  # the default
        shared.append(appliance)
        yield appliance


@pytest.fixture(scope="session")
def internet(
    docker_client: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Internet]:
    """A network with DNS, Cloudflare's API and certificate authorities."""
    with open_internet(docker_client, tmp_path_factory.mktemp("internet")) as opened:
        yield opened


@pytest.fixture(scope="session")
def scene(
    docker_client: docker.DockerClient,
    shared: list[Appliance],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Scene]:
    """An appliance and two callers who reach each other through its relay alone."""
    with make_network(docker_client) as home:
        appliance = LanAppliance(network_mode=home.name).with_variables(MATRIX_LISTEN="")
        with set_up(appliance, home, tmp_path_factory.mktemp("shared")) as made:
            shared.append(appliance)
            yield made


@pytest.fixture(scope="module", autouse=True)
def quiet_logs(shared: list[Appliance]) -> Iterator[None]:
    """After each module: no warning in the log that nobody expected."""
    yield
    for appliance in shared:
        assert appliance.unexpected_lines() == []


@pytest.fixture
def volume(docker_client: docker.DockerClient) -> Iterator[Volume]:
    """An empty volume."""
    made = Volume(docker_client)
    yield made
    made.remove()


@pytest.fixture
def boot(volume: Volume) -> Iterator[Boot]:
    """Start appliances for one test; what they logged is judged at its end."""
    del volume  # must outlive the containers that use it
    with contextlib.ExitStack() as stack:
        started: list[Appliance] = []

        def start(appliance: Appliance) -> Appliance:
            stack.callback(appliance.stop)
            appliance.start()
            started.append(appliance)
            return appliance

        yield start
        for appliance in started:
            assert appliance.unexpected_lines() == []
