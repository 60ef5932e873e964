"""What is wrong with a token is told apart before anything depends on it."""

import socket

import pytest

from appliance.cloudflare import CloudflareError, Fault, preflight

from .api import READ_ONLY, TOKEN, Answer, Api, refuse


def fail(api: Api, token: str = TOKEN, domain: str = "example.org") -> CloudflareError:
    with pytest.raises(CloudflareError) as caught:
        preflight(token, domain, api.address)
    assert token not in repr(caught.value) or not token
    assert token not in str(caught.value) or not token
    return caught.value


def test_a_good_token_changes_nothing(api: Api) -> None:
    api.add_zone("example.org")
    api.add_record(name="example.org", type="A", content="192.0.2.1")
    before = dict(api.records)
    assert preflight(TOKEN, "example.org", api.address).name == "example.org"
    assert api.records == before


def test_the_longest_zone_is_the_domains(api: Api) -> None:
    api.add_zone("example.org")
    api.add_zone("other.org")
    longer = api.add_zone("home.example.org")
    assert preflight(TOKEN, "lan.home.example.org", api.address).id == longer
    assert preflight(TOKEN, "office.example.org", api.address).name == "example.org"


def test_a_wrong_token(api: Api) -> None:
    error = fail(api, "unknown-to-cloudflare-000000000000000000")
    assert (error.fault, error.code) == (Fault.WRONG_TOKEN, 9109)
    assert "MATRIX_CLOUDFLARE_API_TOKEN" in str(error)
    assert "Zone / DNS / Edit" in str(error)


@pytest.mark.parametrize("token", ["short", "", "two words", "line\nbreak", "no-tökén" * 6])
def test_a_malformed_token(api: Api, token: str) -> None:
    assert fail(api, token).fault is Fault.MALFORMED_TOKEN


def test_the_global_key_is_no_token(api: Api) -> None:
    error = fail(api, "0123456789abcdef0123456789abcdef01234")
    assert error.fault is Fault.MALFORMED_TOKEN
    assert "Global API Key" in str(error)
    assert api.asked == []


def test_a_token_that_may_only_read(api: Api) -> None:
    api.add_zone("example.org")
    error = fail(api, READ_ONLY)
    assert error.fault is Fault.MISSING_RIGHT
    assert "Zone / DNS / Edit for example.org" in str(error)


def test_a_token_for_another_zone(api: Api) -> None:
    api.add_zone("other.org")
    error = fail(api)
    assert error.fault is Fault.OTHER_ZONE
    assert "is for other.org, not for example.org" in str(error)


def test_a_token_that_sees_no_zone(api: Api) -> None:
    error = fail(api)
    assert error.fault is Fault.MISSING_ZONE
    assert "Zone Resources" in str(error)


def test_a_zone_whose_name_servers_are_elsewhere(api: Api) -> None:
    api.add_zone("example.org", status="pending")
    error = fail(api)
    assert error.fault is Fault.INACTIVE_ZONE
    assert "set its name servers to a.ns" in str(error)


def test_a_token_bound_to_another_address(api: Api) -> None:
    api.instead = refuse(403, 9109, "Cannot use the access token from location: 192.0.2.1")
    error = fail(api)
    assert error.fault is Fault.WRONG_PLACE
    assert "192.0.2.1" in str(error)


def test_a_rate_limit_says_when(api: Api) -> None:
    api.instead = refuse(429, 971, "Please wait", Retry_After="30")
    error = fail(api)
    assert (error.fault, error.retry_after_seconds) == (Fault.RATE_LIMITED, 30)
    assert error.passes_by_itself


@pytest.mark.parametrize(
    "answer",
    [
        refuse(500, 1001, "internal"),
        Answer(502, b"<html>bad gateway</html>"),
        Answer(200, b"<html>a captive portal</html>"),
        Answer(200, [1]),
        Answer(403, {"errors": "strange"}),
    ],
)
def test_an_api_out_of_order(api: Api, answer: Answer) -> None:
    api.instead = answer
    assert fail(api).fault is Fault.BROKEN


def test_an_api_that_is_down() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    api = Api(address=f"http://127.0.0.1:{port}/client/v4")
    error = fail(api)
    assert error.fault is Fault.UNREACHABLE
    assert "Connection refused" in str(error)
