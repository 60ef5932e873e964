import base64
import gzip
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from appliance import settings
from appliance.parts import element
from appliance.parts.element import OWNED_KEYS, hash_inline_scripts
from appliance.parts.element import PART as ELEMENT

from .deployments import FILES, LAN, deployment, texts


def config(environment: dict[str, str]) -> dict[str, Any]:
    text = texts(ELEMENT, deployment(environment))["/run/element/config.json"]
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def strings(value: object) -> list[str]:
    """Return every text in a configuration, keys not included."""
    if isinstance(value, dict):
        return [text for one in value.values() for text in strings(one)]
    if isinstance(value, list):
        return [text for one in value for text in strings(one)]
    return [value] if isinstance(value, str) else []


@pytest.fixture
def custom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "config.json"
    monkeypatch.setattr(element, "CUSTOM", str(path))
    return path


@pytest.mark.parametrize("environment", [{}, LAN, FILES])
def test_it_names_no_host_but_ours(environment: dict[str, str]) -> None:
    domain = settings.load(environment).domain
    for text in strings(config(environment)):
        for host in re.findall(r"[\w-]+(?:\.[\w-]+)+", text):
            assert host in (f"chat.{domain}", f"matrix.{domain}"), text


def test_what_leads_elsewhere_by_default_is_switched_off() -> None:
    found = config({})
    # An address left out would be Element's own default.
    assert {key: found[key] for key in found if key.startswith("integrations_")} == {
        "integrations_ui_url": None,
        "integrations_rest_url": None,
        "integrations_widgets_urls": [],
    }
    assert found["map_style_url"] is None
    assert found["jitsi"] == {"preferred_domain": "chat.localhost"}
    assert found["permalink_prefix"] == "http://chat.localhost"
    assert found["disable_guests"] is True
    assert "m.identity_server" not in found["default_server_config"]


def test_calls_go_through_livekit_alone() -> None:
    found = config({})
    assert found["features"] == {"feature_group_calls": True}
    assert found["element_call"] == {"use_exclusively": True}
    assert "UIFeature.voip" not in found["setting_defaults"]


def test_element_call_is_told_the_service() -> None:
    text = texts(ELEMENT, deployment(FILES))["/run/element/element-call.json"]
    service = "https://matrix.example.org/livekit/jwt"
    assert json.loads(text) == {"livekit": {"livekit_service_url": service}}


def test_element_call_keeps_what_it_was_shipped_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = tmp_path / "widgets/element-call/config.json.gz"
    shipped.parent.mkdir(parents=True)
    shipped.write_bytes(gzip.compress(b'{"matrix_rtc_session": {"a": 1}}'))
    monkeypatch.setattr(element, "STATIC", tmp_path)
    found = json.loads(texts(ELEMENT, deployment({}))["/run/element/element-call.json"])
    assert found.keys() == {"matrix_rtc_session", "livekit"}
    off = texts(ELEMENT, deployment({"MATRIX_CALLS": "off"}))["/run/element/element-call.json"]
    assert json.loads(off).keys() == {"matrix_rtc_session"}


def test_no_call_is_offered_while_no_server_carries_one() -> None:
    found = config({"MATRIX_CALLS": "off"})
    assert found["setting_defaults"]["UIFeature.voip"] is False
    assert found["element_call"] == {"disable": True}
    assert "features" not in found


def test_without_livekit_two_people_call_through_the_relay() -> None:
    found = config({**LAN, "MATRIX_CALLS": "off"})
    assert found["setting_defaults"]["UIFeature.widgets"] is False
    assert "UIFeature.voip" not in found["setting_defaults"]
    assert found["element_call"] == {"disable": True}
    assert "features" not in found
    nothing = config({**LAN, "MATRIX_CALLS": "off", "MATRIX_TURN": "no"})
    assert nothing["setting_defaults"]["UIFeature.voip"] is False


def test_nothing_is_offered_that_needs_mail() -> None:
    shown = config({})["setting_defaults"]
    assert shown["UIFeature.passwordReset"] is False
    assert shown["UIFeature.thirdPartyId"] is False


@pytest.mark.parametrize(("mode", "offered"), [("closed", False), ("token", True), ("open", True)])
def test_an_account_is_offered_where_one_can_be_made(mode: str, offered: bool) -> None:
    found = config({**LAN, "MATRIX_REGISTRATION": mode})
    assert found["setting_defaults"]["UIFeature.registration"] is offered
    assert ("embedded_pages" not in found) is offered


def test_it_follows_the_settings() -> None:
    found = config(
        {
            **FILES,
            "MATRIX_BRAND": 'The "Home" server',
            "MATRIX_DEFAULT_COUNTRY_CODE": "IT",
            "MATRIX_HTTPS_PORT": "8443",
        }
    )
    assert found["default_server_config"]["m.homeserver"] == {
        "base_url": "https://matrix.example.org:8443",
        "server_name": "matrix.example.org",
    }
    assert found["brand"] == 'The "Home" server'
    assert found["default_country_code"] == "IT"
    assert "default_country_code" not in config({})


def test_the_owners_file_is_merged_over_ours(custom: Path) -> None:
    custom.write_text(
        json.dumps(
            {
                "default_theme": "dark",
                "jitsi": {"preferred_domain": "meet.example.org"},
                "setting_defaults": {"breadcrumbs": True},
                "room_directory": {"servers": ["friends.example"]},
            }
        )
    )
    found = config({})
    assert found["default_theme"] == "dark"
    assert found["jitsi"] == {"preferred_domain": "meet.example.org"}
    assert found["setting_defaults"]["breadcrumbs"] is True
    assert found["setting_defaults"]["UIFeature.feedback"] is False
    assert found["room_directory"]["servers"] == ["matrix.localhost", "friends.example"]
    assert [*ELEMENT.problems(deployment())] == []


@pytest.mark.parametrize("key", OWNED_KEYS)
def test_a_clash_with_ours_is_refused_by_name(custom: Path, key: str) -> None:
    custom.write_text(json.dumps({key: "x"}))
    (problem,) = ELEMENT.problems(deployment())
    assert problem.subject == str(custom)
    assert problem.message == f"{key} belongs to the appliance: {OWNED_KEYS[key]}"


@pytest.mark.parametrize(
    ("text", "message"), [("{", "cannot be read"), ("[]", "not a JSON object"), ("\xff", "read")]
)
def test_an_owners_file_that_is_no_json_is_refused(custom: Path, text: str, message: str) -> None:
    custom.write_bytes(text.encode("latin-1"))
    (problem,) = ELEMENT.problems(deployment())
    assert message in problem.message


@pytest.mark.parametrize(
    ("asked", "present", "enabled"),
    [
        (None, True, True),
        (None, False, False),
        ("yes", True, True),
        ("yes", False, True),
        ("no", True, False),
    ],
)
def test_it_is_there_by_default_where_the_image_has_it(
    asked: str | None, present: bool, enabled: bool
) -> None:
    of = deployment({"MATRIX_ELEMENT": asked} if asked else {}, element=present)
    assert ELEMENT.enabled(of.settings, of.machine) is enabled


def test_asked_for_and_missing_it_says_how_to_get_it() -> None:
    (problem,) = ELEMENT.problems(deployment({"MATRIX_ELEMENT": "yes"}, element=False))
    assert problem.subject == "MATRIX_ELEMENT"
    assert "artifacts/" in problem.message
    assert "built without it" in problem.message


def test_plain_http_is_allowed_where_the_server_speaks_it() -> None:
    path = "/run/nginx/servers.d/element.conf"
    assert "https: http: wss: ws:;" in texts(ELEMENT, deployment())[path]
    assert "http:" not in texts(ELEMENT, deployment(FILES))[path].replace("https:", "")


def test_headers_are_never_in_a_location() -> None:
    text = texts(ELEMENT, deployment())["/run/nginx/servers.d/element.conf"]
    for location in text.split("\n    location ")[1:]:
        assert "add_header" not in location.partition("\n    }")[0]


def hash_of(script: bytes) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script).digest()).decode()}'"


def test_inline_scripts_are_hashed_as_a_browser_does(tmp_path: Path) -> None:
    page = tmp_path / "index.html"
    html = b'<script type="module" src="/a.js"></script>\n<script>\n  go("\xc3\xa9");\n</script>'
    expected = [hash_of(b'\n  go("\xc3\xa9");\n')]
    page.write_bytes(html)
    assert hash_inline_scripts(page) == expected
    page.unlink()
    assert hash_inline_scripts(page) == []
    page.with_name("index.html.gz").write_bytes(gzip.compress(html))
    assert hash_inline_scripts(page) == expected
