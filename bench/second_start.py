"""How long a test waits for a server on a warm machine, beside Synapse's own way to try it out.

That way is its generated configuration with SQLite. It is not Synapse's own Docker image: it is the
Synapse of our image, started as that one starts its own, without Postgres, nginx and all else.
"""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass

from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer

from appliance.testing import MatrixAppliance
from bench.containers import IMAGE

testcontainers_config.ryuk_disabled = True
# Ready when it answers, as the appliance's class waits.
_GENERATE_AND_RUN = """
cd /tmp
python -m synapse.app.homeserver --server-name localhost --report-stats no \\
    --generate-config --config-path /tmp/homeserver.yaml --data-directory /tmp > /dev/null
sed -i 's/port: 8008/port: '"$PORT"'/; /- ::1$/d; s/- 127.0.0.1$/- 0.0.0.0/' homeserver.yaml
exec python -m synapse.app.homeserver --config-path /tmp/homeserver.yaml
"""


@dataclass(frozen=True)
class Seconds:
    """Each measured start, until a client is answered (and, of ours, healthy)."""

    appliance: list[float]
    sqlite: list[float]


class GeneratedSynapse(MatrixAppliance):
    """Synapse as it configures itself, in the same container and waited for in the same way."""

    def start(self) -> "GeneratedSynapse":
        """Start it and wait until clients are answered."""
        self.env.clear()
        self.with_env("PORT", str(self._port))
        self.with_command(["-euc", _GENERATE_AND_RUN]).with_kwargs(entrypoint="sh")
        DockerContainer.start(self)
        self.wait_until_ready()
        return self


def measure(rounds: int) -> Seconds:
    """Start each in turn, after one of each that is not counted."""
    found = Seconds([], [])
    for number in range(rounds + 1):
        for server, times in (
            (MatrixAppliance(IMAGE), found.appliance),
            (GeneratedSynapse(IMAGE), found.sqlite),
        ):
            with _stopped(server):
                began = time.monotonic()
                server.start()
                if number:
                    times.append(time.monotonic() - began)
    return found


@contextlib.contextmanager
def _stopped(server: MatrixAppliance) -> Iterator[None]:
    try:
        yield
    finally:
        server.stop()
