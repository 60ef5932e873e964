"""What each scenario renders, beside what it rendered before: a change is seen in review.

`UPDATE_GOLDEN=1 pytest tests/rendered` writes the new files.
"""

import os
import shutil
from pathlib import Path

from appliance.files import Directory

from .conftest import Scenario, draw

GOLDEN = Path(__file__).parent / "golden"


def test_rendered_files_are_as_reviewed(scenario: Scenario) -> None:
    folder = GOLDEN / scenario.name
    rendered = {
        entry.path.removeprefix("/"): entry.content
        for entry in scenario.plan.entries
        if not isinstance(entry, Directory)
    }
    rendered["files.txt"] = "".join(sorted(f"{line}\n" for line in _describe(scenario)))
    if os.environ.get("UPDATE_GOLDEN"):
        shutil.rmtree(folder, ignore_errors=True)
        for path, content in rendered.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(content)
    golden = {
        str(path.relative_to(folder)): path.read_text()
        for path in folder.rglob("*")
        if path.is_file()
    }
    assert rendered == golden


def test_rendering_twice_is_identical(scenario: Scenario) -> None:
    assert draw(scenario.environment).entries == scenario.plan.entries


def _describe(scenario: Scenario) -> list[str]:
    return [
        f"{entry.path} {entry.owner}:{entry.group} {entry.mode:04o}"
        + ("/" if isinstance(entry, Directory) else "")
        for entry in scenario.plan.entries
    ]
