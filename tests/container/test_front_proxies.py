"""nginx, Apache and Caddy in front of the appliance, configured by the printed snippet alone."""

import contextlib
import io
import json
import select
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPResponse
from urllib.parse import quote

import pytest

from appliance.testing import free_port

from . import calls, front
from .appliances import ProxiedAppliance
from .http_client import Account, Site

UPLOAD_BYTES = 20 * 1024**2
FORGED = "203.0.113.9"
# What of a request arrives here, told by nginx itself.
CUSTOM = """
location /arrived/ {
    default_type text/plain;
    return 200 "$request_method $request_uri|$http_host|$http_upgrade|$http_connection";
}
"""


@dataclass(frozen=True)
class World:
    """The appliance, and the ports of this machine at which its proxy answers."""

    appliance: ProxiedAppliance
    http: int
    https: int
    federation: int


@dataclass(frozen=True)
class Seen:
    """The appliance as its clients see it through one proxy."""

    world: World
    root_certificate: str

    def site(self, name: str, port: int | None = None) -> Site:
        host = f"{name}.{ProxiedAppliance.DOMAIN}"
        return Site(host, port or self.world.https, self.root_certificate)


def connect(seen: Seen) -> ssl.SSLSocket:
    """Connect to the proxy as a client does."""
    trust = ssl.create_default_context(cadata=seen.root_certificate)
    plain = socket.create_connection(("127.0.0.1", seen.world.https), timeout=30)
    return trust.wrap_socket(plain, server_hostname="matrix.example.org")


def upload_until_answered(seen: Seen, account: Account, size: int) -> tuple[int, Message, bytes]:
    """Upload as browsers do, listening meanwhile: Caddy answers before the end, Apache after it."""
    head = (
        "POST /_matrix/media/v3/upload HTTP/1.1\r\nHost: matrix.example.org\r\n"
        f"Content-Length: {size}\r\nAuthorization: Bearer {account.access_token}\r\n"
        "Connection: close\r\n\r\n"
    )
    received = b""
    with connect(seen) as connection:
        connection.sendall(head.encode())
        with contextlib.suppress(BrokenPipeError, ConnectionResetError, ssl.SSLEOFError):
            while size and not (received := read_what_is_there(connection)):
                connection.sendall(bytes(piece := min(size, 2**16)))
                size -= piece
        while data := connection.recv(2**16):
            received += data
    answer = HTTPResponse(Received(received))  # type: ignore[arg-type]
    answer.begin()
    return answer.status, answer.headers, answer.read()


def read_what_is_there(connection: ssl.SSLSocket) -> bytes:
    """Read what comes within a moment. By one thread: two at once break a TLS connection.

    A moment, because whoever goes on sending to who has answered and left loses the answer.
    """
    select.select([connection], [], [], 0.005)
    waits = connection.gettimeout()
    connection.setblocking(False)
    try:
        return connection.recv(2**16)
    except ssl.SSLWantReadError:
        return b""
    finally:
        connection.settimeout(waits)


@dataclass
class Received:
    """What came over a connection, to be read as from one."""

    data: bytes

    def makefile(self, mode: str) -> io.BytesIO:
        assert mode == "rb"
        return io.BytesIO(self.data)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    appliance = ProxiedAppliance().with_variables(MATRIX_MAX_UPLOAD_SIZE="20M")
    ports = {inside: free_port() for inside in (80, 443, 8448)}
    for inside, outside in ports.items():
        appliance.publish(inside, outside)
    appliance.with_copy_into_container(CUSTOM.encode(), "/data/custom/nginx/matrix.conf")
    appliance.expect(r"client intended to send too large body", "a file is larger than allowed")
    with appliance:
        yield World(appliance, ports[80], ports[443], ports[8448])
        assert appliance.unexpected_lines() == []


@pytest.fixture(scope="module", params=front.KINDS)
def seen(request: pytest.FixtureRequest, world: World) -> Iterator[Seen]:
    snippet = world.appliance.command("proxy-snippet", request.param)
    with front.run(request.param, world.appliance, snippet) as proxy:
        yield Seen(world, proxy.root_certificate)


def test_people_register_write_and_read(seen: Seen) -> None:
    alice = Account.register(seen.site("matrix"))
    room = alice.create_room()
    sent = alice.send(room, "hello")
    assert alice.read(room)[sent] == "hello"


def test_who_is_invited_gets_to_the_page(seen: Seen) -> None:
    made = json.loads(seen.world.appliance.command("invite", "--json"))
    assert made["link"] == f"https://matrix.{ProxiedAppliance.DOMAIN}/join/{made['token']}"
    page = seen.site("matrix").get(f"/join/{made['token']}")
    assert (page.status, b'src="../landing/join.js"' in page.body) == (200, True)
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]


def test_a_slash_in_a_name_stays_part_of_it(seen: Seen) -> None:
    alice = Account.register(seen.site("matrix"))
    local = f"a/b%c+{alice.user_id[6:14]}"
    room = alice.create_room(room_alias_name=local)
    alias = quote(f"#{local}:{seen.world.appliance.server_name}", safe="")
    assert "%2F" in alias
    assert alice.ask("GET", f"/v3/directory/room/{alias}")["room_id"] == room


@pytest.mark.parametrize(
    "path",
    ["/arrived/a%2Fb%2Fc", "/arrived/%23%3A%25%3F%3B%5C?a=%2F&b=c%20d", "/arrived/a+b~c@d!e"],
)
def test_uris_arrive_as_they_were_sent(seen: Seen, path: str) -> None:
    answer = seen.site("matrix").get(path, Connection="keep-alive, Upgrade", Upgrade="websocket")
    method, host, upgrade, connection = answer.body.decode().split("|")
    assert (method, host) == (f"GET {path}", "matrix.example.org")
    assert (upgrade, connection.lower()) == ("websocket", "upgrade")


def test_uploads_of_the_configured_size_pass_and_larger_ones_are_refused_in_matrix_words(
    seen: Seen,
) -> None:
    alice = Account.register(seen.site("matrix"))
    content = bytes(UPLOAD_BYTES)
    uploaded = alice.upload(content)
    assert uploaded.status == 200, uploaded.body
    assert alice.download(uploaded.json()["content_uri"]).body == content
    status, headers, body = upload_until_answered(seen, alice, UPLOAD_BYTES + 1)
    assert (status, json.loads(body)["errcode"]) == (413, "M_TOO_LARGE")
    assert headers["Access-Control-Allow-Origin"] == "*"


def test_the_server_sees_the_clients_own_address(seen: Seen) -> None:
    alice = Account.register(seen.site("matrix"))
    (gateway,) = seen.world.appliance.gateways()
    assert alice.address_seen() == gateway
    forged = {"X_Forwarded_For": FORGED, "X_Real_IP": FORGED, "CF_Connecting_IP": FORGED}
    assert alice.address_seen(**forged, Forwarded=f"for={FORGED}") == gateway
    assert alice.address_seen(X_Forwarded_For=f"{FORGED}, 127.0.0.1") == gateway


def test_a_call_is_connected(seen: Seen) -> None:
    site = seen.site("matrix")
    caller = Account.register(site)
    jwt = calls.post(site, "/sfu/get", calls.device_body(caller, "!room:matrix.example.org")).json()
    assert jwt["url"] == f"wss://matrix.example.org{calls.SFU}"
    request = (
        f"GET {calls.SFU}/rtc?access_token={jwt['jwt']}&protocol=15 HTTP/1.1\r\n"
        "Host: matrix.example.org\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    with connect(seen) as connection:
        connection.sendall(request.encode())
        with connection.makefile("rb") as answer:
            assert answer.readline() == b"HTTP/1.1 101 Switching Protocols\r\n"
            while answer.readline().strip():
                pass
            # The first frame, by which LiveKit lets the caller in: final, binary, not masked.
            frame = answer.read(2)
            assert frame[0] == 0x82
            assert frame[1] & 0x80 == 0


def test_the_second_port_is_for_other_servers(seen: Seen) -> None:
    site = seen.site("matrix", seen.world.federation)
    assert site.get("/_matrix/federation/v1/version").json()["server"]["name"] == "Synapse"


def test_browsers_find_everything_by_https(seen: Seen) -> None:
    known = seen.site("matrix").get("/.well-known/matrix/client")
    assert known.json()["m.homeserver"] == {"base_url": "https://matrix.example.org"}
    assert known.headers["Access-Control-Allow-Origin"] == "*"
    assert known.headers["Strict-Transport-Security"] == "max-age=31536000"
    page = seen.site("chat").get("/")
    assert page.status == 200
    assert page.headers["Content-Security-Policy"]
    moved = Site("chat.example.org", seen.world.http).get("/some?where=1")
    location = "https://chat.example.org/some?where=1"
    assert (moved.status, moved.headers["Location"]) in ((301, location), (308, location))
