"""docs/testing.md says how to test a bot: the same, run by a pytest of its own."""

import re
import subprocess
import sys
from pathlib import Path

from .volumes import IMAGE

PAGE = Path(__file__).parents[2] / "docs/testing.md"
LINES = 15
CONFTEST = f"""
import pytest
from testcontainers.core.config import testcontainers_config

testcontainers_config.ryuk_disabled = True  # no registry has to be there


@pytest.fixture(scope="session")
def matrix_appliance_image():
    return "{IMAGE}"
"""


def test_the_bot_of_the_page_is_tested_in_15_lines(tmp_path: Path) -> None:
    found = re.search(
        r"run by tests/container/\S+ -->\n```python\n(.*?)```", PAGE.read_text(), re.S
    )
    assert found
    assert len(found[1].replace("\n\n", "\n").splitlines()) <= LINES
    (tmp_path / "test_bot.py").write_text(found[1])
    (tmp_path / "conftest.py").write_text(CONFTEST)
    # No settings of this project's own: only what an installation brings.
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout
