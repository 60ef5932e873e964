"""Sources that ask a server on loopback, and keep their files where the test looks."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from builder.sources import Sources

from .source_server import SourceServer, run_source_server


@pytest.fixture
def source_server() -> Iterator[SourceServer]:
    with run_source_server() as server:
        yield server


@pytest.fixture
def sources(source_server: SourceServer, tmp_path: Path) -> Sources:
    folders = (tmp_path / name for name in ("artifacts", "sources", "served", "pins"))
    return Sources(source_server.address, *folders)
