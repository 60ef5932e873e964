import asyncio
import json
from pathlib import Path

import pytest

from appliance.bridges.catalogue import find
from appliance.bridges.posts import PATH, Source
from appliance.bridges.receiver import Receiver
from appliance.http_server import Request
from appliance.testing import free_port

TOKEN = "0123456789abcdef"
LOST = {"state_event": "BAD_CREDENTIALS", "user_id": "@alice:matrix.test", "remote_id": "1"}
BEARER = {"authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def receiver(tmp_path: Path) -> Receiver:
    known = [(find("whatsapp"), TOKEN)]
    source = Source.of("127.0.0.1", free_port(), "matrix.test", known)
    return Receiver(source, tmp_path / "kept.json")


async def test_a_bridge_posts_as_it_really_does(receiver: Receiver, tmp_path: Path) -> None:
    """As Go's client does: by HTTP/1.1, with an answer that it reads to its end."""
    body = json.dumps(LOST)
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: mautrix-go\r\n"
        f"Content-Length: {len(body)}\r\nAuthorization: Bearer {TOKEN}\r\n"
        "Content-Type: application/json\r\nAccept-Encoding: gzip\r\n\r\n"
    )
    async with await receiver.listen():
        reader, writer = await asyncio.open_connection("127.0.0.1", receiver.source.port)
        writer.write((head + body).encode())
        answer = await reader.read()
        writer.close()
    assert answer.startswith(b"HTTP/1.1 200")
    assert len(receiver.logins) == 1
    again = Receiver(receiver.source, tmp_path / "kept.json")
    assert [one.bridge for one in again.logins.ailing(9e9)] == ["whatsapp"]
    assert (tmp_path / "kept.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (Request("POST", PATH, json.dumps(LOST).encode()), 403),
        (Request("POST", PATH, b"{}", {"authorization": "Bearer another"}), 403),
        (Request("POST", PATH, b"{}", {"authorization": f"Basic {TOKEN}"}), 403),
        (Request("POST", "/elsewhere", b"{}", BEARER), 403),
        (Request("GET", PATH, b"", BEARER), 400),
        (Request("POST", PATH, b"[]", BEARER), 400),
        (Request("POST", PATH, b"\xff", BEARER), 400),
    ],
)
async def test_nobody_else_is_listened_to(
    receiver: Receiver, tmp_path: Path, request_: Request, status: int
) -> None:
    assert (await receiver.answer(request_)).status == status
    assert len(receiver.logins) == 0
    assert not (tmp_path / "kept.json").exists()


async def test_an_agent_without_that_bridge_forgets_its_log_ins(
    receiver: Receiver, tmp_path: Path
) -> None:
    await receiver.answer(Request("POST", PATH, json.dumps(LOST).encode(), BEARER))
    other = Source.of("127.0.0.1", 1, "matrix.test", [(find("telegram"), "another")])
    assert len(Receiver(other, tmp_path / "kept.json").logins) == 0
