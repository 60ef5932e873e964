import pytest

from appliance.invitations.link import draw_code, make_link

BLOCKS = {" ": (0, 0), "▄": (0, 1), "▀": (1, 0), "█": (1, 1)}


@pytest.mark.parametrize(
    ("base_url", "name", "link"),
    [
        ("https://matrix.example.org", "", "https://matrix.example.org/join/abc-def"),
        ("http://localhost:8008", "", "http://localhost:8008/join/abc-def"),
        ("https://example.org/chat", "b=ob", "https://example.org/chat/join/abc-def#b%3Dob"),
    ],
)
def test_the_link_is_below_the_address_that_clients_use(
    base_url: str, name: str, link: str
) -> None:
    assert make_link(base_url, "abc-def", name) == link


def test_the_code_in_a_terminal_is_the_code() -> None:
    import segno

    lines = draw_code("https://matrix.example.org/join/abc").splitlines()
    drawn: list[list[int]] = []
    for line in lines:
        assert line.startswith("\033[30;107m")
        assert line.endswith("\033[0m")
        columns = [BLOCKS[sign] for sign in line[len("\033[30;107m") : -len("\033[0m")]]
        drawn += [[upper for upper, _ in columns], [lower for _, lower in columns]]
    code = segno.make("https://matrix.example.org/join/abc", micro=False)
    expected = [[int(bool(one)) for one in row] for row in code.matrix_iter(border=2)]
    assert drawn[: len(expected)] == expected
    assert not any(map(any, drawn[len(expected) :]))
