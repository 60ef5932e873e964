"""Messages as the specifications have them; the relay itself is asked in tests/container."""

import base64
import hashlib
import hmac
from ipaddress import ip_address

import pytest

from appliance.turn.client import Login, Message, TurnError, message_length
from appliance.turn.connections import Transport, connect

# RFC 5769, section 2.2: a response over IPv4.
RESPONSE = bytes.fromhex(
    "0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000080001a147e112a643"
    "000800142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96"
)


def test_a_response_tells_the_address_that_it_masks() -> None:
    message = Message.parse(RESPONSE)
    assert message.kind == 0x0101
    assert message.endpoint(0x0020) == (ip_address("192.0.2.1"), 32853)
    assert message.attributes[0x8022] == b"test vector"


@pytest.mark.parametrize("data", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", RESPONSE[:40]])
def test_what_is_no_message_is_an_error(data: bytes) -> None:
    with pytest.raises(OSError, match="no answer that is STUN"):
        Message.parse(data)


def test_a_refusal_has_its_code_and_reason() -> None:
    refused = Message(0x0113, bytes(12), {0x0009: b"\0\0\x04\x56Allocation Quota Reached"})
    error = refused.error()
    assert isinstance(error, TurnError)
    assert error.code == 486
    assert str(error) == "the relay refuses with 486 Allocation Quota Reached"


def test_a_message_in_a_stream_ends_where_it_says() -> None:
    assert message_length(RESPONSE[:4]) == len(RESPONSE)
    assert message_length(b"\x40\x00\x00\x05") == 12  # channel data, padded


def test_a_login_is_made_as_synapse_makes_it_and_shows_no_password() -> None:
    login = Login.make("secret", "@alice:example.org", 3600)
    until, _, user = login.username.partition(":")
    assert user == "@alice:example.org"
    assert until.isdigit()
    digest = hmac.new(b"secret", login.username.encode(), hashlib.sha1).digest()
    assert login.password == base64.b64encode(digest).decode()
    assert login.password not in repr(login)


def test_nobody_there_is_an_error() -> None:
    with pytest.raises(OSError, match="refused"):
        connect(Transport.TCP, "127.0.0.1", 9)
