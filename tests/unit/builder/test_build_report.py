"""The table at the end of a build."""

import pytest

from builder.report import Row, format_size, format_table, wants_colours

BUILT = Row("synapse", "pypi", "1.0", "1.0", "built", "", 100_000_000)
OLDER = Row("bridge", "go", "v1", "v2", "older", "v2: its source answers 403 Forbidden", 30_000_000)
MISSING = Row("client", "release", None, "1.2", "missing", "example.org cannot be reached", 0)
ARTIFACT = Row("client", "release", "1.2", "1.2", "artifact", "", 5_000_000)


def table(*rows: Row, colours: bool = False) -> list[str]:
    return format_table(rows, 200_000_000, 80_000_000, colours=colours).splitlines()


def test_table() -> None:
    assert table(BUILT, OLDER, MISSING) == [
        "",
        "COMPONENT              VERSION      SIZE",
        "synapse                1.0      100.0 MB",
        "bridge                 v1        30.0 MB  OLDER than v2: "
        "v2: its source answers 403 Forbidden",
        "client                 -               -  MISSING: example.org cannot be reached",
        "the appliance, shared            70.0 MB",
        "total                           200.0 MB  80.0 MB gzipped",
    ]


def test_artifact_is_named() -> None:
    assert table(ARTIFACT)[2].endswith("5.0 MB  from artifacts/")


def test_older_is_yellow_and_missing_red() -> None:
    lines = table(BUILT, OLDER, MISSING, colours=True)
    assert "\x1b" not in lines[2]
    assert lines[3].startswith("\x1b[33mbridge")
    assert lines[4].startswith("\x1b[31mclient")
    assert all(line.endswith("\x1b[0m") for line in lines[3:5])


def test_no_colours_into_a_file(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert not wants_colours()


def test_format_size() -> None:
    assert format_size(1_250_000) == "1.2 MB"
