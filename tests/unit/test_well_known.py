import json

from appliance import settings
from appliance.well_known import describe, render_documents

APEX = {
    "MATRIX_DOMAIN": "example.org",
    "MATRIX_SERVER_NAME": "example.org",
    "MATRIX_TLS_MODE": "proxy",
}

CALLS = "https://matrix.example.org/livekit/jwt"


def test_what_is_printed_is_what_is_served() -> None:
    loaded = settings.load(APEX)
    text = describe(loaded, CALLS)
    documents = render_documents(loaded, CALLS)
    assert [*documents] == ["client", "server"]
    for name, document in documents.items():
        assert f"https://example.org/.well-known/matrix/{name}\n\n{document}" in text
        assert f"curl -isS https://example.org/.well-known/matrix/{name}" in text
    assert CALLS in documents["client"]
    assert json.loads(documents["server"]) == {"m.server": "matrix.example.org:443"}
    for header in ("Content-Type: application/json", "Access-Control-Allow-Origin: *"):
        assert header in text
    assert "nothing is to be done" not in text


def test_servers_are_sent_to_https_where_clients_come_by_plain_http() -> None:
    loaded = settings.load({**APEX, "MATRIX_PUBLIC_BASE_URL": "http://127.0.0.1:4711"})
    documents = {name: json.loads(text) for name, text in render_documents(loaded, None).items()}
    assert documents["client"]["m.homeserver"] == {"base_url": "http://127.0.0.1:4711"}
    assert documents["server"] == {"m.server": "matrix.example.org:443"}


def test_without_federation_there_is_one_document() -> None:
    loaded = settings.load({**APEX, "MATRIX_FEDERATION": "off"})
    assert "matrix/server" not in describe(loaded, CALLS)


def test_nothing_is_to_be_done_where_the_appliance_serves_them() -> None:
    loaded = settings.load({**APEX, "MATRIX_SERVER_NAME": ""})
    assert "serves them at matrix.example.org; nothing is to be done" in describe(loaded, CALLS)
