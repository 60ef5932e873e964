"""The files for GitHub: nothing runs there that somebody else can change, nor with more rights."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

FILES = sorted((Path(__file__).parents[2] / ".github/workflows").glob("*.yml"))
PINNED = re.compile(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")


def load(file: Path) -> dict[str, Any]:
    return dict(yaml.safe_load(file.read_text()))


def test_there_are_some() -> None:
    assert {file.stem for file in FILES} == {"gate", "nix", "release", "scan"}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_action_is_pinned(file: Path) -> None:
    used = re.findall(r"uses: (.*)$", file.read_text(), re.MULTILINE)
    assert used
    assert [action for action in used if not PINNED.fullmatch(action)] == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_nothing_may_be_written_but_what_a_job_says(file: Path) -> None:
    document = load(file)
    assert set(document["permissions"].values()) <= {"read"}
    for job in document["jobs"].values():
        assert job["timeout-minutes"]
        if file.stem != "release":
            assert "permissions" not in job


def test_what_is_published_was_tested_and_is_vouched_for() -> None:
    (file,) = (one for one in FILES if one.stem == "release")
    job = load(file)["jobs"]["image"]
    architectures = {one["architecture"] for one in job["strategy"]["matrix"]["include"]}
    assert architectures == {"amd64", "arm64"}
    steps = [str(step.get("run") or step.get("uses")) for step in job["steps"]]
    wanted = ("build --release", ".ci/run", "docker push", "attest-build-provenance", "attest-sbom")
    places = [next(i for i, step in enumerate(steps) if word in step) for word in wanted]
    assert places == sorted(places)
