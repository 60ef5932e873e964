from collections.abc import Iterator

import pytest

from .api import Api, run_api


@pytest.fixture
def api() -> Iterator[Api]:
    with run_api() as running:
        yield running
