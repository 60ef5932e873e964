import json
from pathlib import Path

import yaml

from appliance.custom import merge, merge_owned_json, merge_owned_yaml

OURS = (
    "# Generated.\nexperimental_features:\n  a: true\nmodules: [one]\nretention:\n  enabled: true\n"
)
OWNED = {"server_name": "set MATRIX_SERVER_NAME"}
SECTIONS = {("retention", "enabled"): "set MATRIX_RETENTION"}


def test_without_files_the_text_is_untouched(tmp_path: Path) -> None:
    assert merge_owned_yaml(OURS, str(tmp_path), OWNED, SECTIONS).text == OURS


def test_mappings_are_merged_and_lists_joined(tmp_path: Path) -> None:
    (tmp_path / "10.yaml").write_text("experimental_features: {b: true}\nmodules: [two]\n")
    (tmp_path / "20.yaml").write_text("experimental_features: {b: false}\n")
    merged = merge_owned_yaml(OURS, str(tmp_path), OWNED, SECTIONS)
    assert merged.problems == ()
    assert merged.text.startswith("# Generated.\n")
    assert yaml.safe_load(merged.text) == {
        "experimental_features": {"a": True, "b": False},
        "modules": ["one", "two"],
        "retention": {"enabled": True},
    }


def test_a_key_of_ours_is_refused_with_what_to_use(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("server_name: x\nretention: {enabled: false, other: 1}\n")
    messages = [str(p) for p in merge_owned_yaml(OURS, str(tmp_path), OWNED, SECTIONS).problems]
    assert messages == [
        f"{tmp_path}/x.yaml: server_name belongs to the appliance: set MATRIX_SERVER_NAME",
        f"{tmp_path}/x.yaml: retention.enabled belongs to the appliance: set MATRIX_RETENTION",
    ]


def test_a_file_that_is_not_yaml_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("a: [")
    (tmp_path / "y.yaml").write_text("- a")
    first, second = merge_owned_yaml(OURS, str(tmp_path), OWNED, SECTIONS).problems
    assert first.subject == f"{tmp_path}/x.yaml"
    assert "line 1" in first.message
    assert "is not a mapping" in second.message


def test_merging_leaves_both_alone() -> None:
    ours, theirs = {"a": {"b": 1}}, {"a": {"c": 2}}
    assert merge(ours, theirs) == {"a": {"b": 1, "c": 2}}
    assert ours == {"a": {"b": 1}}


def test_json_is_merged_and_its_clashes_are_named(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    ours = {"features": {"a": True}, "servers": ["one"]}
    assert json.loads(merge_owned_json(ours, str(path), {}).text) == ours
    path.write_text('{"features": {"b": null}, "servers": ["two"], "brand": "é"}')
    merged = merge_owned_json(ours, str(path), {"brand": "set MATRIX_BRAND"})
    assert json.loads(merged.text) == {
        "features": {"a": True, "b": None},
        "servers": ["one", "two"],
        "brand": "é",
    }
    assert [str(problem) for problem in merged.problems] == [
        f"{path}: brand belongs to the appliance: set MATRIX_BRAND"
    ]
