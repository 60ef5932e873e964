"""Requests that nobody's client makes: each is refused by nginx, or means the same to Synapse."""

import socket
import ssl
from http.client import HTTPResponse

import pytest

from .appliances import Appliance, LanAppliance, until
from .conftest import Boot
from .http_client import Account

HOST = f"matrix.{LanAppliance.DOMAIN}"
HIDDEN = f"GET /_matrix/client/versions HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
LOGIN = f"POST /_matrix/client/v3/login HTTP/1.1\r\nHost: {HOST}\r\n"


def connect(appliance: LanAppliance) -> ssl.SSLSocket:
    """Connect as a client does, to send whatever comes."""
    trust = ssl.create_default_context(cadata=appliance.ca_certificate)
    plain = socket.create_connection(("127.0.0.1", appliance.https_port), timeout=30)
    return trust.wrap_socket(plain, server_hostname=HOST)


def exchange(appliance: LanAppliance, request: bytes) -> bytes:
    """Send bytes and return all that comes back until the server ends the connection."""
    with connect(appliance) as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def statuses(appliance: LanAppliance, request: bytes) -> list[int]:
    return [int(part[:3]) for part in exchange(appliance, request).split(b"HTTP/1.1 ")[1:]]


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ("Content-Length: 6\r\nTransfer-Encoding: chunked", "0\r\n\r\n"),
        ("Content-Length: 6\r\nContent-Length: 0", "0\r\n\r\n"),
        ("Content-Length: +2", "{}"),
        ("Content-Length: 2, 2", "{}"),
        ("Content-Length: -1", ""),
        ("Transfer-Encoding: xchunked", "0\r\n\r\n"),
        ("Transfer-Encoding: identity, chunked", "0\r\n\r\n"),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "0\r\n\r\n"),
        ("Transfer-Encoding : chunked", "0\r\n\r\n"),
        ("Transfer-Encoding: \vchunked", "0\r\n\r\n"),
        ("X-Folded: a\r\n Content-Length: 9", ""),
        ("Transfer-Encoding: chunked", "fffffffffffffffff\r\n{}\r\n0\r\n\r\n"),
        ("Transfer-Encoding: chunked", "-2\r\n{}\r\n0\r\n\r\n"),
        (f"Host: {HOST}", ""),
    ],
)
def test_a_request_that_can_be_read_in_two_ways_is_refused(
    lan: LanAppliance, headers: str, body: str
) -> None:
    lan.expect(r"client sent invalid chunked body", "the test sends one")
    request = f"{LOGIN}{headers}\r\n\r\n{body}".encode() + HIDDEN
    (status,) = statuses(lan, request)
    assert status in (400, 501)
    # Connections to Synapse are shared: none may hold an answer for somebody else.
    versions = [lan.matrix.get("/_matrix/client/versions") for _ in range(4)]
    assert {answer.json()["versions"][0] for answer in versions} == {"r0.0.1"}


@pytest.mark.parametrize(
    ("line", "host", "status"),
    [
        ("/", "evil.example", 421),
        ("/", f"{HOST}@evil.example", 421),
        ("/", f"evil.example@{HOST}", 421),
        ("/", "localhost", 421),
        ("http://evil.example/", HOST, 421),
        ("/", f"{HOST}, evil.example", 400),
        ("/", f"{HOST}/evil", 400),
        ("/", "", 400),
        ("/", f"{HOST.upper()}.:1", 200),
        (f"http://{HOST}/", "evil.example", 200),
    ],
)
def test_the_host_is_one_of_ours_or_nobody(
    lan: LanAppliance, line: str, host: str, status: int
) -> None:
    request = f"GET {line} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    assert statuses(lan, request.encode()) == [status]


def test_a_redirect_leads_to_us_whatever_was_asked(lan: LanAppliance) -> None:
    plain = lan.plain_site("matrix")
    for path, host in (
        ("//evil.example/x", HOST),
        ("/x", f"{HOST.upper()}.:8080"),
        ("/%0d%0aSet-Cookie:%20a=b", HOST),
    ):
        moved = plain.request("GET", path, headers={"Host": host})
        assert moved.status == 301
        assert moved.headers["Location"].lower() == f"https://{HOST}{path}".lower()
        assert "Set-Cookie" not in moved.headers


@pytest.mark.parametrize("path", ["/landing/", "/landing", "/.well-known/matrix/", "/%5c", "/a b"])
def test_a_stranger_cannot_fill_the_log(lan: LanAppliance, path: str) -> None:
    request = f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n"
    assert statuses(lan, request.encode())[0] in (400, 404)
    assert lan.unexpected_lines() == []


@pytest.mark.parametrize("authorization", ["", "Authorization: Bearer stolen\r\n"])
def test_a_file_of_a_stranger_is_refused_before_it_is_sent(
    lan: LanAppliance, authorization: str
) -> None:
    lan.expect(r"Invalid access token in auth", "Synapse says what is wrong with it")
    with connect(lan) as connection:
        connection.sendall(
            f"POST /_matrix/media/v3/upload HTTP/1.1\r\nHost: {HOST}\r\n"
            f"{authorization}Content-Length: 100000000\r\n\r\n".encode()
        )
        answer = HTTPResponse(connection)
        answer.begin()  # nothing of the file was sent
        assert answer.status == 401
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        code = "M_UNKNOWN_TOKEN" if authorization else "M_MISSING_TOKEN"
        assert f'"{code}"'.encode() in answer.read()


def test_a_file_of_ones_own_is_taken_however_one_shows_who_one_is(trial: Appliance) -> None:
    alice = Account.register(trial.matrix)
    assert alice.upload(b"a picture").status == 200
    path = "/_matrix/media/v3/upload"
    by_query = trial.matrix.request("POST", f"{path}?access_token={alice.access_token}", b"another")
    assert by_query.status == 200
    asked = trial.matrix.request("OPTIONS", path, headers={"Origin": "http://chat.localhost"})
    assert asked.status == 204
    assert "Authorization" in asked.headers["Access-Control-Allow-Headers"]


def test_uris_are_logged_without_the_secrets_in_them(boot: Boot) -> None:
    appliance = boot(Appliance().expect(r"synapse", "Synapse is stopped"))
    appliance.supervisor("stop", "appliance:synapse")
    path = "/_matrix/client/v3/sync?access_token=syt_secret&since=1"
    assert appliance.matrix.get(path).status == 503
    line = "/_matrix/client/v3/sync?access_token=<hidden>&since=1"
    until(lambda: line in appliance.logs(), "the request is named", 10)
    own = appliance.run("sh", "-c", "cat /run/appliance/logs/nginx*")
    assert line in own
    assert "syt_secret" not in appliance.logs() + own
