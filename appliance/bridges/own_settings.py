"""The owner's own settings of a bridge: merged over ours, after what its program would not take.

A bridge drops a key that it does not know without a word, and a value of another type with one line
of its log. So each is compared with the example that the program itself wrote when it was built.
"""

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from appliance.bridges.catalogue import Bridge
from appliance.custom import Merged, find_yaml, merge_owned_files
from appliance.errors import Problem
from appliance.settings import variable_name

CUSTOM = Path("/data/custom/bridges")
EXAMPLES = Path("/usr/share/appliance/bridges")

# Sections of a configuration whose keys are the owner's to choose.
_FREE = (
    ("bridge", "permissions"),
    ("bridge", "relay", "message_formats"),
    ("backfill", "queue", "max_batches_override"),
    ("logging",),
)
_OWNED_KEYS = {
    "homeserver": "the appliance decides how a bridge reaches Synapse",
    "appservice": "the appliance decides it, from the same secrets as for Synapse",
    "database": "each bridge has the database of its name",
    "double_puppet": "every user of this server has it",
    "env_config_prefix": "settings of a bridge come from its configuration alone",
}
_OWNED_SECTIONS = {
    ("bridge", "command_prefix"): "the appliance tells people this prefix",
    ("bridge", "permissions"): "set MATRIX_BRIDGE_ADMINS",
    ("encryption", "pickle_key"): "it lives in /data/credentials and must never change",
    ("provisioning", "shared_secret"): "it lives in /data/credentials",
}
_NEAR = 0.65
_KINDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (bool, "yes or no (true, false)"),
    ((int, float), "a number"),
    (str, "text"),
    (list, "a list"),
    (dict, "a mapping"),
)


def merge(bridge: Bridge, text: str) -> Merged:
    """Return a configuration with the owner's file merged in, and what is wrong with that."""
    paths = [path for path in find_yaml(CUSTOM) if path.stem == bridge.name]
    if not paths:
        return Merged(text, ())
    sections = {("network", key): f"set {variable_name(field)}" for key, field in bridge.network}
    merged = merge_owned_files(text, paths, _OWNED_KEYS, {**_OWNED_SECTIONS, **sections})
    return merged if merged.problems else Merged(merged.text, tuple(_judge(bridge, paths)))


def find_strangers(known: set[str]) -> Iterator[Problem]:
    """Yield files that belong to no bridge there is."""
    for path in find_yaml(CUSTOM):
        if path.stem not in known:
            near = difflib.get_close_matches(path.stem, known, n=1, cutoff=_NEAR)
            hint = (
                f"did you mean {near[0]}.yaml?" if near else f"there are {', '.join(sorted(known))}"
            )
            yield Problem(str(path), f"{path.stem} is not a bridge; {hint}")


def _judge(bridge: Bridge, paths: list[Path]) -> Iterator[Problem]:
    import yaml

    example = EXAMPLES / f"{bridge.component}.yaml"
    known = yaml.safe_load(example.read_text())
    for path in paths:
        for complaint in compare(yaml.safe_load(path.read_text()) or {}, known):
            yield Problem(str(path), complaint)


def compare(
    given: Mapping[str, Any], known: Mapping[str, Any], section: tuple[str, ...] = ()
) -> Iterator[str]:
    """Yield what a program with this example would drop of a configuration."""
    for key, value in given.items():
        path = (*section, str(key))
        name = ".".join(path)
        if key not in known:
            near = difflib.get_close_matches(str(key), map(str, known), n=1, cutoff=_NEAR)
            hint = f"; did you mean {'.'.join((*section, near[0]))}?" if near else ""
            yield f"{name} is not a setting of this bridge{hint}"
        elif path in _FREE:
            continue
        elif complaint := _compare_kind(value, known[key]):
            yield f"{name} is {complaint}"
        elif isinstance(value, dict) and known[key]:
            yield from compare(value, known[key], path)


def _compare_kind(value: object, known: object) -> str:
    """Return what is wrong with the kind of a value, nothing where the example says nothing."""
    if known is None:
        return ""
    wanted = _name_kind(known)
    found = _name_kind(value)
    return "" if found == wanted else f"{found} and must be {wanted}"


def _name_kind(value: object) -> str:
    for kind, name in _KINDS:
        if isinstance(value, kind):
            return name
    return "empty" if value is None else "a date or another thing that is no text: put it in quotes"
