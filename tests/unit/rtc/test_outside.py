from ipaddress import ip_address

import pytest

from appliance.rtc.errors import UnreachableError
from appliance.rtc.outside import Endpoint, Outside
from appliance.settings.homeserver import DENIED_RANGES

OUTSIDE = Outside(DENIED_RANGES)


@pytest.mark.parametrize(
    "text",
    [
        *("127.0.0.1", "10.1.2.3", "192.168.1.1", "172.31.0.1", "169.254.169.254", "100.64.0.1"),
        *("0.0.0.0", "224.0.0.1", "::1", "::", "fe80::1", "fd00::1", "::ffff:10.0.0.1"),
    ],
)
def test_the_inside_is_denied(text: str) -> None:
    assert not OUTSIDE.allows(ip_address(text))


@pytest.mark.parametrize("text", ["9.9.9.9", "2620:fe::fe", "::ffff:9.9.9.9"])
def test_the_internet_is_not(text: str) -> None:
    assert OUTSIDE.allows(ip_address(text))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
async def test_nothing_is_sent_to_the_inside(host: str) -> None:
    with pytest.raises(UnreachableError, match="at an address that is denied"):
        await OUTSIDE.get(Endpoint(host, 1, host, host), "/")


@pytest.mark.parametrize(
    "url", ["", "http://example.org/", "https://", "file:///etc/passwd", "https://a b/", "//x"]
)
async def test_only_https_is_followed(url: str) -> None:
    with pytest.raises(UnreachableError, match="redirects to no https address"):
        await OUTSIDE.get_page(url)
