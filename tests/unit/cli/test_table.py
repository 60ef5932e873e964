import click
import pytest

from appliance.cli.table import format_duration, format_table


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    table = format_table(("A", "LONG"), [("wide cell", "1"), ("x", "")])
    assert table == "A          LONG\nwide cell  1\nx"


def test_colour_takes_no_room() -> None:
    table = format_table(("A", "B"), [(click.style("red", fg="red"), "1")])
    assert click.unstyle(table) == "A    B\nred  1"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (3600, "1 h"),
        (3661, "1 h 1 min"),
        (90061, "1 d 1 h"),
        (86460, "1 d 1 min"),
    ],
)
def test_durations(seconds: int, text: str) -> None:
    assert format_duration(seconds) == text
