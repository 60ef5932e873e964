from appliance.resolver import look_up


def test_names_are_looked_up() -> None:
    found = look_up("localhost")
    assert found.certain
    assert "127.0.0.1" in found.addresses
