"""How long a certificate takes, and what a stored one costs a restart.

On the internet of the tests (tests/container/internet), with a wait of 0 s for the DNS.
"""

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import docker
import urllib3
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer

from tests.container.internet import Internet, open_internet
from tests.container.internet.appliance import InternetAppliance
from tests.container.volumes import Volume

testcontainers_config.ryuk_disabled = True
# It is asked before it has a certificate to trust.
urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
_GIVE_UP_SECONDS = 120
# Each question by TLS costs the machine a handshake: more of them would measure themselves.
_PAUSE_SECONDS = 0.1
# The same in both, since it is not what is compared.
_ALIKE = {"MATRIX_CLOUDFLARE_DNS": "off"}
_WITHOUT_TLS = {
    "MATRIX_TLS_MODE": "off",
    "MATRIX_ACME_EMAIL": "",
    "MATRIX_ACME_CA_BUNDLE": "",
    "MATRIX_ACME_PROPAGATION": "",
    "MATRIX_CLOUDFLARE_API_TOKEN": "",
}


@dataclass(frozen=True)
class Seconds:
    """Each measured value, by what it is of."""

    placeholder: list[float]
    certificate: list[float]
    restart: list[float]
    restart_without_tls: list[float]


def measure(rounds: int) -> Seconds:
    """Measure all in turn, so that the machine treats all alike."""
    seconds = Seconds([], [], [], [])
    client = docker.from_env()
    with tempfile.TemporaryDirectory() as folder, open_internet(client, Path(folder)) as internet:
        for _ in range(rounds):
            _measure_with(internet, client, seconds)
            _measure_without(internet, client, seconds)
    return seconds


def _measure_with(internet: Internet, client: docker.DockerClient, seconds: Seconds) -> None:
    volume = Volume(client)
    appliance = InternetAppliance(internet, data=volume).with_variables(**_ALIKE)
    try:
        begin = time.monotonic()
        DockerContainer.start(appliance)
        seconds.placeholder.append(_until(lambda: _serves_tls(appliance), begin))
        seconds.certificate.append(_until(appliance.has_certificate, begin))
        _until(appliance.is_ready, begin)
        appliance.shut_down()
        begin = time.monotonic()
        appliance.get_wrapped_container().start()
        seconds.restart.append(_until(appliance.is_ready, begin))
    finally:
        appliance.stop()
        volume.remove()


def _measure_without(internet: Internet, client: docker.DockerClient, seconds: Seconds) -> None:
    volume = Volume(client)
    appliance = InternetAppliance(internet, data=volume).with_variables(**_ALIKE)
    appliance.with_variables(**_WITHOUT_TLS)
    try:
        begin = time.monotonic()
        DockerContainer.start(appliance)
        _until(lambda: _answers_plainly(appliance), begin)
        appliance.shut_down()
        begin = time.monotonic()
        appliance.get_wrapped_container().start()
        seconds.restart_without_tls.append(_until(lambda: _answers_plainly(appliance), begin))
    finally:
        appliance.stop()
        volume.remove()


def _serves_tls(appliance: InternetAppliance) -> bool:
    try:
        return bool(appliance.certificate())
    except OSError:
        return False


def _answers_plainly(appliance: InternetAppliance) -> bool:
    try:
        return bool(appliance.plain_site("matrix").get("/_matrix/client/versions").status == 200)
    except OSError:
        return False


def _until(condition: Callable[[], bool], begin: float) -> float:
    """Return how long after the beginning a condition held. Raise TimeoutError if it never did."""
    while not condition():
        if time.monotonic() - begin > _GIVE_UP_SECONDS:
            raise TimeoutError(f"not within {_GIVE_UP_SECONDS} s")
        time.sleep(_PAUSE_SECONDS)
    return time.monotonic() - begin
