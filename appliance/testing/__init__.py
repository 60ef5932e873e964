"""Real Matrix servers for the tests of any Python project, by testcontainers.

Needs Docker on this machine, the image `matrix-appliance` and the extra `[testing]`; nothing here
runs inside the image.
"""

from appliance.testing.federation import FederatedAppliance, MatrixFederation
from appliance.testing.server import (
    IMAGE,
    MatrixAppliance,
    MatrixApplianceError,
    User,
    free_port,
)

__all__ = [
    "IMAGE",
    "FederatedAppliance",
    "MatrixAppliance",
    "MatrixApplianceError",
    "MatrixFederation",
    "User",
    "free_port",
]
