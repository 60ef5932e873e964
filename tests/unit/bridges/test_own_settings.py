from pathlib import Path

import pytest
import yaml

from appliance.bridges import own_settings
from appliance.bridges.catalogue import find
from appliance.bridges.own_settings import compare, find_strangers, merge

WHATSAPP = find("whatsapp")
# A piece of what a program writes as its example.
EXAMPLE = """
network:
    os_name: Mautrix
    proxy: null
    history_sync: {max_initial_conversations: -1, request_full_sync: false}
bridge:
    command_prefix: '!wa'
    personal_filtering_spaces: true
    only_bridge_tags: [m.favourite]
    relay: {enabled: false, message_formats: {m.text: "x"}}
    permissions: {"*": relay}
backfill: {enabled: false, queue: {max_batches_override: {}}}
encryption: {default: false, pickle_key: generate}
logging: {min_level: debug}
"""
OURS = "# Generated.\nbackfill: {enabled: true}\nbridge: {command_prefix: '!wa'}\n"


@pytest.fixture(autouse=True)
def custom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    examples = tmp_path / "examples"
    examples.mkdir()
    (examples / "mautrix-whatsapp.yaml").write_text(EXAMPLE)
    folder = tmp_path / "custom"
    folder.mkdir()
    monkeypatch.setattr(own_settings, "EXAMPLES", examples)
    monkeypatch.setattr(own_settings, "CUSTOM", folder)
    return folder


def test_without_a_file_ours_is_as_it_is(custom: Path) -> None:
    (custom / "telegram.yaml").write_text("nothing: of whatsapp")
    assert merge(WHATSAPP, OURS).text == OURS


def test_the_owners_file_is_merged_over_ours(custom: Path) -> None:
    (custom / "whatsapp.yaml").write_text(
        "network: {history_sync: {request_full_sync: true}, proxy: 'socks5://127.0.0.1:9050'}\n"
        "bridge: {personal_filtering_spaces: false, relay: {message_formats: {m.any: y}}}\n"
        "backfill: {enabled: false}\nlogging: {min_level: debug}\n"
    )
    merged = merge(WHATSAPP, OURS)
    assert merged.problems == ()
    found = yaml.safe_load(merged.text)
    assert found["backfill"] == {"enabled": False}
    assert found["bridge"]["command_prefix"] == "!wa"
    assert found["bridge"]["personal_filtering_spaces"] is False
    assert found["network"]["history_sync"] == {"request_full_sync": True}


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ("backfil: {}", "backfil is not a setting of this bridge; did you mean backfill?"),
        (
            "bridge: {personal_filtering_space: true}",
            "bridge.personal_filtering_space is not a setting of this bridge; "
            "did you mean bridge.personal_filtering_spaces?",
        ),
        ("colour: red", "colour is not a setting of this bridge"),
        ("backfill: {enabled: 'yes'}", "backfill.enabled is text and must be yes or no"),
        ("backfill: true", "backfill is yes or no (true, false) and must be a mapping"),
        ("network: {os_name: 5}", "network.os_name is a number and must be text"),
        ("network: {os_name: 2026-01-01}", "network.os_name is a date"),
        ("network: {os_name: }", "network.os_name is empty and must be text"),
        ("bridge: {only_bridge_tags: x}", "bridge.only_bridge_tags is text and must be a list"),
        (
            "network: {history_sync: {max_initial_conversations: true}}",
            "network.history_sync.max_initial_conversations is yes or no (true, false) and must "
            "be a number",
        ),
        ("appservice: {port: 1}", "appservice belongs to the appliance: the appliance decides it"),
        ("bridge: {permissions: {'*': relay}}", "bridge.permissions belongs to the appliance"),
        ("encryption: {pickle_key: x}", "must never change"),
        ("[]", "is not a mapping of settings"),
        ("a: [", "cannot be read"),
    ],
)
def test_what_the_bridge_would_drop_is_refused(custom: Path, given: str, complaint: str) -> None:
    file = custom / "whatsapp.yaml"
    file.write_text(given)
    (problem,) = merge(WHATSAPP, OURS).problems
    assert problem.subject == str(file)
    assert complaint in problem.message


def test_what_a_variable_decides_is_refused_with_its_name(custom: Path) -> None:
    (custom / "telegram.yaml").write_text("network: {api_id: 5}")
    (problem,) = merge(find("telegram"), OURS).problems
    assert "network.api_id belongs to the appliance: set MATRIX_TELEGRAM_API_ID" in problem.message


def test_a_file_of_no_bridge_is_told(custom: Path) -> None:
    (custom / "whatsap.yaml").touch()
    (problem,) = find_strangers({"whatsapp", "telegram"})
    assert problem.message == "whatsap is not a bridge; did you mean whatsapp.yaml?"


def test_an_empty_section_is_no_complaint() -> None:
    assert [*compare({"network": {}}, yaml.safe_load(EXAMPLE))] == []
