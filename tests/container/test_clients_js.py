"""Two people and a third device, with the library that Element is made of, in a real browser.

On a home network's server: by HTTPS, found from its name alone, registration by token.
"""

import base64
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from .appliances import LanAppliance, until
from .browser import Person, build_client, open_browser

PASSWORD = "correct horse battery staple"


@dataclass
class Conversation:
    """What the tests of this module share, in the order of a real one."""

    alice: Person
    bob: Person
    third: Person
    base_url: str
    room: str = ""
    recovery_key: str = ""


@pytest.fixture(scope="module")
def conversation(lan: LanAppliance) -> Iterator[Conversation]:
    build_client()
    token = json.loads(lan.command("invite", "--uses", "2", "--json"))["token"]
    with open_browser(lan) as browser:
        alice, bob, third = (Person(browser, lan) for _ in range(3))
        found = alice.do("discover", lan.server_name)
        assert found == {"state": "SUCCESS", "error": None, "baseUrl": lan.matrix.url}
        talk = Conversation(alice, bob, third, found["baseUrl"])
        alice.do("register", talk.base_url, "js-alice", PASSWORD, token)
        bob.do("register", talk.base_url, "js-bob", PASSWORD, token)
        talk.room = alice.do("createEncryptedRoom", [f"@js-bob:{lan.server_name}"])
        bob.do("join", talk.room)
        alice.do("waitForMember", talk.room, f"@js-bob:{lan.server_name}")
        yield talk


def test_encrypted_text_is_read_by_the_other(conversation: Conversation, lan: LanAppliance) -> None:
    alice, bob, room = conversation.alice, conversation.bob, conversation.room
    alice.do("sendText", room, "hello Bob")
    bob.do("waitForMessage", room, "hello Bob")
    bob.do("sendText", room, "hello Alice")
    alice.do("waitForMessage", room, "hello Alice")
    expected = [
        {"sender": f"@js-alice:{lan.server_name}", "encrypted": True, "body": "hello Bob"},
        {"sender": f"@js-bob:{lan.server_name}", "encrypted": True, "body": "hello Alice"},
    ]
    assert alice.do("readMessages", room) == expected
    assert bob.do("readMessages", room) == expected


def test_encrypted_file_is_read_by_the_other(conversation: Conversation) -> None:
    content = base64.b64encode(os.urandom(300_000)).decode()
    conversation.alice.do("sendFile", conversation.room, "picture.png", content)
    assert conversation.bob.do("readFile", conversation.room, "picture.png") == content


def test_third_device_is_trusted_and_reads_old_messages(
    conversation: Conversation, lan: LanAppliance
) -> None:
    alice, bob, third, room = (
        conversation.alice,
        conversation.bob,
        conversation.third,
        conversation.room,
    )
    user_id = f"@js-alice:{lan.server_name}"
    alice.do("sendText", room, "said before the third device")
    recovery_key = alice.do("setUpRecovery")
    until(lambda: alice.do("countBackedUpKeys"), "keys in the backup")

    device_id = third.do("logIn", conversation.base_url, "js-alice", PASSWORD)["deviceId"]
    before = third.do("readMessages", room)
    assert before
    assert all(message["body"] is None for message in before), "read without any key"
    untrusted = {"signedByOwner": False, "crossSigned": False}
    until(lambda: bob.do("trustOf", user_id, device_id) == untrusted, "an untrusted device")

    assert third.do("recover", recovery_key) > 0
    third.do("waitForMessage", room, "said before the third device")
    third.do("waitForMessage", room, "hello Bob")
    signed = {"signedByOwner": True, "crossSigned": False}
    until(lambda: bob.do("trustOf", user_id, device_id) == signed, "Bob sees that it is Alice's")
    trusted = {"signedByOwner": True, "crossSigned": True}
    until(lambda: third.do("trustOf", user_id, device_id) == trusted, "it trusts itself")

    third.do("sendText", room, "from the third device")
    bob.do("waitForMessage", room, "from the third device")


def test_no_other_host_was_asked(conversation: Conversation, lan: LanAppliance) -> None:
    people = (conversation.alice, conversation.bob, conversation.third)
    hosts = set().union(*(person.seen.hosts for person in people))
    assert hosts == {f"chat.{lan.DOMAIN}", f"matrix.{lan.DOMAIN}"}
