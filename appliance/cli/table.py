"""Text in columns. Knows nothing of what is in them."""

from collections.abc import Iterable, Sequence

import click


def format_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return rows under a head, each column as wide as its widest cell; cells may be coloured."""
    lines = [tuple(head), *(tuple(row) for row in rows)]
    widths = [
        max(len(click.unstyle(cell)) for cell in column) for column in zip(*lines, strict=True)
    ]
    return "\n".join(
        "  ".join(
            cell + " " * (width - len(click.unstyle(cell)))
            for cell, width in zip(line, widths, strict=True)
        ).rstrip()
        for line in lines
    )


def format_bytes(count: int) -> str:
    """Return a size in whole MiB."""
    return f"{count / 1024**2:.0f} MiB"


def format_duration(seconds: float) -> str:
    """Return a duration in its two largest units."""
    whole = int(seconds)
    parts = ((whole // 86400, "d"), (whole // 3600 % 24, "h"), (whole // 60 % 60, "min"))
    shown = [f"{count} {unit}" for count, unit in parts if count][:2]
    return " ".join(shown) or f"{whole} s"
