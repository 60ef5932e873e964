"""The link of an invitation, and the same as a QR code for a terminal. Pure."""

from urllib.parse import quote

# Black on white whatever the terminal's own colours are: a camera reads dark on light only.
_PAPER, _RESET = "\033[30;107m", "\033[0m"
_BORDER = 2


def make_link(base_url: str, token: str, name: str = "") -> str:
    """Return the address of the page where a token is used; it proposes a name if one is given."""
    proposal = f"#{quote(name)}" if name else ""
    return f"{base_url}/join/{quote(token, safe='')}{proposal}"


def draw_code(address: str) -> str:
    """Return an address as a QR code, two of its rows in one line of a terminal."""
    import segno

    rows = [list(row) for row in segno.make(address, micro=False).matrix_iter(border=_BORDER)]
    if len(rows) % 2:
        rows.append([0] * len(rows[0]))
    signs = {(0, 0): " ", (0, 1): "▄", (1, 0): "▀", (1, 1): "█"}
    lines = (
        "".join(signs[bool(upper), bool(lower)] for upper, lower in zip(*pair, strict=True))
        for pair in zip(rows[::2], rows[1::2], strict=True)
    )
    return "\n".join(f"{_PAPER}{line}{_RESET}" for line in lines)
