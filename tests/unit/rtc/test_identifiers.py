import base64
import hashlib

from appliance.rtc.identifiers import name_device, name_member, name_room


def sha256(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")


def test_room_is_the_hash_of_canonical_json() -> None:
    assert name_room("!a:b", "m.call#ROOM") == sha256('["!a:b","m.call#ROOM"]')


def test_both_endpoints_meet_in_one_room() -> None:
    assert name_room("!a:b") == name_room("!a:b", "m.call#ROOM")


def test_nothing_is_escaped() -> None:
    assert name_room("!<ä>&:b", "s") == sha256('["!<ä>&:b","s"]')


def test_member_is_the_hash_of_user_device_and_member() -> None:
    assert name_member("@u:s", "D", "m") == sha256('["@u:s","D","m"]')


def test_older_clients_know_each_other_by_device() -> None:
    assert name_device("@u:s", "D") == "@u:s:D"
