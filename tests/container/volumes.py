"""Volumes that outlive containers, and a look at them and at the image without an appliance."""

import json
import os
import uuid
from typing import Any

import docker

from appliance import testing

IMAGE = os.environ.get("APPLIANCE_IMAGE", testing.IMAGE)


def run_beside(client: docker.DockerClient, script: str, **options: Any) -> str:
    """Run a shell script as root in a container of the image that does nothing else."""
    container = client.containers.create(
        IMAGE, [script], entrypoint=["sh", "-euc"], network_mode="none", **options
    )
    try:
        container.start()
        status = container.wait()["StatusCode"]
        output = bytes(container.logs(stderr=False)).decode(errors="replace")
        assert status == 0, f"{script}: {status}\n{container.logs().decode(errors='replace')}"
        return output
    finally:
        container.remove(v=True)


def image_holds(client: docker.DockerClient, component: str) -> bool:
    """Return whether the image has a component."""
    rows = json.loads(run_beside(client, "cat /usr/share/appliance/components.json"))
    return any(row["name"] == component and row["status"] != "missing" for row in rows)


class Volume:
    """A volume for `/data` that outlives containers, and a shell to look into it."""

    def __init__(self, client: docker.DockerClient) -> None:
        self._client = client
        self._volume = client.volumes.create(f"appliance-test-{uuid.uuid4().hex[:12]}")

    @property
    def name(self) -> str:
        return str(self._volume.name)

    def run(self, script: str) -> str:
        """Run a shell script as root in the image, with the volume and nothing else."""
        mounted = {self.name: {"bind": "/data", "mode": "rw"}}
        return run_beside(self._client, script, volumes=mounted)

    def remove(self) -> None:
        """Remove it, and every container that still uses it."""
        using = {"volume": self.name}
        for container in self._client.containers.list(all=True, filters=using):
            container.remove(force=True)
        self._volume.remove(force=True)
