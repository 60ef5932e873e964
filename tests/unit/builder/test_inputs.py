import subprocess
from pathlib import Path

import pytest

from builder.inputs import digest_inputs, is_built, remember


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "appliance").mkdir()
    (tmp_path / "appliance/a.py").write_text("a")
    (tmp_path / "Dockerfile").write_text("FROM scratch")
    (tmp_path / ".gitignore").write_text("__pycache__/\nartifacts/\n.build/\n")
    subprocess.run(["git", "init", "--quiet"], check=True)
    return tmp_path


def test_what_goes_into_the_image_changes_the_digest(tree: Path) -> None:
    before = digest_inputs()
    (tree / "appliance/b.py").write_text("untracked")
    assert digest_inputs() != before
    (tree / "appliance/b.py").unlink()
    assert digest_inputs() == before
    (tree / "appliance/a.py").chmod(0o755)
    assert digest_inputs() != before


def test_artifacts_count_although_git_ignores_them(tree: Path) -> None:
    before = digest_inputs()
    (tree / "artifacts").mkdir()
    (tree / "artifacts/element-web-1.tar.gz").write_bytes(b"x")
    assert digest_inputs() != before


def test_what_does_not_go_into_the_image_changes_nothing(tree: Path) -> None:
    before = digest_inputs()
    (tree / "README.md").write_text("x")
    (tree / "appliance/__pycache__").mkdir()
    (tree / "appliance/__pycache__/a.pyc").write_text("x")
    assert digest_inputs() == before


@pytest.mark.usefixtures("tree")
def test_an_image_is_known_by_inputs_and_identity() -> None:
    assert not is_built("digest", "image")
    remember("digest", "image")
    assert is_built("digest", "image")
    assert not is_built("digest", "another")
    assert not is_built("another", "image")
