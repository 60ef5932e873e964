import pytest

from appliance.rtc.names import parse_server_name, server_of


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("Example.ORG", "example.org", None),
        ("example.org:8448", "example.org", 8448),
        ("10.0.0.1", "10.0.0.1", None),
        ("[2001:DB8::1]:443", "2001:db8::1", 443),
    ],
)
def test_names(text: str, host: str, port: int | None) -> None:
    name = parse_server_name(text)
    assert name is not None
    assert (name.host, name.port) == (host, port)
    assert str(name) == text.lower()


@pytest.mark.parametrize(
    "text",
    [
        *("", ".", "a..b", ".a", "a b", "a/b", "a@b", "a?b", "a#b", "a:0", "a:65536", "a:b", "a:"),
        *("[::1", "[example.org]", "::1", "ä.org", "a\nb", "a" * 254, "a%00b"),
    ],
)
def test_what_is_no_name(text: str) -> None:
    assert parse_server_name(text) is None


def test_server_of_a_user() -> None:
    assert server_of("@alice:example.org:8448") == "example.org:8448"


@pytest.mark.parametrize("text", ["", "alice", "@alice", "alice:example.org", "@a:", "@" * 300])
def test_what_is_no_user(text: str) -> None:
    assert server_of(text) is None
