import os
from pathlib import Path

import pytest

from appliance import files
from appliance.errors import OperationError
from appliance.files import Directory, File


@pytest.fixture(autouse=True)
def everybody_is_me(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_ids", lambda _: (os.getuid(), os.getgid()))


def test_files_and_directories_are_made_with_their_modes(tmp_path: Path) -> None:
    entries = [Directory(f"{tmp_path}/a/b", mode=0o750), File(f"{tmp_path}/a/b/c", "x", mode=0o640)]
    assert files.apply(entries) == [f"{tmp_path}/a/b", f"{tmp_path}/a/b/c"]
    assert (tmp_path / "a/b").stat().st_mode & 0o7777 == 0o750
    assert (tmp_path / "a/b/c").stat().st_mode & 0o7777 == 0o640
    assert (tmp_path / "a/b/c").read_text() == "x"


def test_a_second_time_changes_nothing(tmp_path: Path) -> None:
    entries = [Directory(f"{tmp_path}/a"), File(f"{tmp_path}/a/c", "x")]
    files.apply(entries)
    before = (tmp_path / "a/c").stat()
    assert files.apply(entries) == []
    assert (tmp_path / "a/c").stat() == before


def test_a_wrong_mode_is_mended(tmp_path: Path) -> None:
    entry = File(f"{tmp_path}/c", "x", mode=0o600)
    files.apply([entry])
    (tmp_path / "c").chmod(0o644)
    assert files.apply([entry]) == [f"{tmp_path}/c"]
    assert (tmp_path / "c").stat().st_mode & 0o7777 == 0o600


def test_a_fresh_directory_is_emptied(tmp_path: Path) -> None:
    (tmp_path / "run/sub").mkdir(parents=True)
    (tmp_path / "run/sub/stale.pid").write_text("1")
    (tmp_path / "run/link").symlink_to(tmp_path)
    files.apply([Directory(f"{tmp_path}/run", fresh=True)])
    assert list((tmp_path / "run").iterdir()) == []
    assert tmp_path.is_dir()


def test_a_link_in_the_place_of_a_file_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("theirs")
    (tmp_path / "c").symlink_to(tmp_path / "elsewhere")
    files.apply([File(f"{tmp_path}/c", "ours")])
    assert not (tmp_path / "c").is_symlink()
    assert (tmp_path / "elsewhere").read_text() == "theirs"


def test_what_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OperationError, match=f"{tmp_path}/file/c"):
        files.apply([File(f"{tmp_path}/file/c", "x")])


def test_a_failed_write_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fchmod", fail)
    with pytest.raises(OperationError, match="No space left"):
        files.apply([File(f"{tmp_path}/c", "x")])
    assert list(tmp_path.iterdir()) == []
