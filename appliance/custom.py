"""The owner's own files under `/data/custom`, merged over what the appliance renders.

Deep: mappings are merged key by key, lists are joined, anything else is replaced. A key that the
appliance owns is a problem that says what to use instead.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance.errors import Problem

_SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True)
class Merged:
    """The text with the owner's files merged in, and what is wrong with them."""

    text: str
    problems: tuple[Problem, ...]


def merge_owned_yaml(
    text: str,
    directory: str,
    owned_keys: Mapping[str, str],
    owned_sections: Mapping[tuple[str, str], str],
) -> Merged:
    """Merge every `*.yaml` and `*.yml` of a directory, by name, over a YAML text.

    `owned_keys` and `owned_sections` (key and sub-key) say what to use instead of a key of ours.
    Without a file of the owner's the text is returned as it is.
    """
    return merge_owned_files(text, find_yaml(Path(directory)), owned_keys, owned_sections)


def find_yaml(directory: Path) -> list[Path]:
    """Return the YAML files of a directory, by name."""
    return sorted(path for path in directory.glob("*") if path.suffix in _SUFFIXES)


def merge_owned_files(
    text: str,
    paths: Sequence[Path],
    owned_keys: Mapping[str, str],
    owned_sections: Mapping[tuple[str, str], str],
) -> Merged:
    """Merge YAML files over a YAML text, as `merge_owned_yaml` does those of a directory."""
    if not paths:
        return Merged(text, ())
    import yaml

    merged: dict[str, Any] = yaml.safe_load(text) or {}
    problems: list[Problem] = []
    for path in paths:
        try:
            given = yaml.safe_load(path.read_text())
        except (yaml.YAMLError, OSError, UnicodeDecodeError) as error:
            problems.append(Problem(str(path), f"cannot be read: {' '.join(str(error).split())}"))
            continue
        if given is None:
            continue
        if not isinstance(given, dict):
            problems.append(Problem(str(path), "is not a mapping of settings"))
            continue
        clashes = [*_clashes(given, owned_keys, owned_sections)]
        problems += [Problem(str(path), clash) for clash in clashes]
        merged = merge(merged, given)
    header = text.partition("\n")[0]
    dumped = yaml.safe_dump(merged, sort_keys=False, allow_unicode=True)
    return Merged(f"{header}\n{dumped}", tuple(problems))


def merge_owned_json(ours: Mapping[str, Any], file: str, owned_keys: Mapping[str, str]) -> Merged:
    """Merge a JSON file, if there is one, over data of ours, and return that as JSON.

    `owned_keys` says what to use instead of a key of ours.
    """
    path = Path(file)
    problems: list[Problem] = []
    given: object = {}
    if path.exists():
        try:
            given = json.loads(path.read_text())
        except (ValueError, OSError) as error:
            problems.append(Problem(file, f"cannot be read: {error}"))
    if isinstance(given, dict):
        problems += [Problem(file, clash) for clash in _clashes(given, owned_keys, {})]
        ours = merge(ours, given)
    else:
        problems.append(Problem(file, "is not a JSON object of settings"))
    return Merged(json.dumps(ours, indent=2, ensure_ascii=False) + "\n", tuple(problems))


def merge(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, Any]:
    """Return one mapping deep-merged over another; lists are joined."""
    merged = dict(ours)
    for key, value in theirs.items():
        present = merged.get(key)
        if isinstance(present, dict) and isinstance(value, dict):
            merged[key] = merge(present, value)
        elif isinstance(present, list) and isinstance(value, list):
            merged[key] = [*present, *value]
        else:
            merged[key] = value
    return merged


def _clashes(
    given: Mapping[str, Any],
    owned_keys: Mapping[str, str],
    owned_sections: Mapping[tuple[str, str], str],
) -> Iterator[str]:
    for key, advice in owned_keys.items():
        if key in given:
            yield f"{key} belongs to the appliance: {advice}"
    for (section, key), advice in owned_sections.items():
        inside = given.get(section)
        if isinstance(inside, dict) and key in inside:
            yield f"{section}.{key} belongs to the appliance: {advice}"
        elif section in given and not isinstance(inside, dict):
            yield f"{section} is not a mapping"
