"""Fixtures for whoever has installed `matrix-appliance[testing]`: pytest finds them by itself.

Imports nothing that a test run without them would have to wait for.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from appliance.testing import MatrixAppliance, MatrixFederation


@pytest.fixture(scope="session")
def matrix_appliance_image() -> str:
    """The image to start; a fixture of this name in your conftest.py names another."""
    from appliance.testing import IMAGE

    return IMAGE


@pytest.fixture(scope="session")
def matrix_appliance_variables() -> Mapping[str, str]:
    """Variables for `matrix_appliance`; a fixture of this name in your conftest.py sets some."""
    return {}


@pytest.fixture(scope="session")
def matrix_appliance(
    matrix_appliance_image: str, matrix_appliance_variables: Mapping[str, str]
) -> Iterator["MatrixAppliance"]:
    """One server for the whole test run: users and rooms of your own keep tests apart."""
    from appliance.testing import MatrixAppliance

    server = MatrixAppliance(matrix_appliance_image)
    with server.with_variables(**matrix_appliance_variables):
        yield server


@pytest.fixture(scope="session")
def matrix_federation(matrix_appliance_image: str) -> Iterator["MatrixFederation"]:
    """A network on which `matrix_federation.server("one")` and others find each other."""
    from appliance.testing import MatrixFederation

    with MatrixFederation(matrix_appliance_image) as federation:
        yield federation
