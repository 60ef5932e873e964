"""DNS providers beside Cloudflare: what lego knows of each, and what an owner gives for one.

The list is made from lego by `inv lock` (builder/lego.py). Declares no variable.
"""

import difflib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

TABLE = Path(__file__).with_name("lego_providers.json")
_LIST = "https://go-acme.github.io/lego/dns/"
# Keep one TXT value for a name at a time. Source: lego's clients of their APIs.
_ONE_VALUE = {"ddnss", "dnshomede", "duckdns", "freemyip"}
# Of lego itself. Not what makes it log its requests, tokens and all.
_OF_LEGO = {"LEGO_DISABLE_CNAME_SUPPORT"}
_NAME = r"[A-Z][A-Z0-9_]*"


@dataclass(frozen=True)
class Provider:
    """A provider and the names of its variables; one with `*` stands for all that begin so."""

    name: str
    needs: tuple[str, ...]
    takes: tuple[str, ...]

    def knows(self, name: str) -> bool:
        """Return whether a variable is one of its own, or names a file with one."""
        exact = {name, name.removesuffix("_FILE")}
        return bool(exact & {*self.needs, *self.takes, *_OF_LEGO}) or any(
            name.startswith(one.removesuffix("*")) for one in self.takes if one.endswith("*")
        )


def holds_one_value(name: str | None) -> bool:
    """Return whether a provider keeps one TXT value at a time: enough for one name of two."""
    return name in _ONE_VALUE


def parse_variables(text: str) -> dict[str, str]:
    """Given `NAME=VALUE` in lines, or in words of one line, return the values by name.

    A value may go on over several lines, and stand in quotes. Raise ValueError, without a word of
    the text, if it begins with anything else.
    """
    text = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    separator = r"\n\s*" if "\n" in text.strip() else r"\s+"
    items = re.split(rf"{separator}(?={_NAME}=)", text.strip())
    if not all(re.match(rf"{_NAME}=", item) for item in items):
        raise ValueError("is not NAME=VALUE, one to a line")
    pairs = (item.partition("=") for item in items)
    return {name: _unquote(value.strip()) for name, _, value in pairs}


def judge_provider(name: str) -> str | None:
    """Return what is wrong with a provider's name, None if lego knows it."""
    if name == "manual":
        return "'manual' asks a person at every renewal; name the provider of your DNS zone"
    if name in _providers():
        return None
    nearest = difflib.get_close_matches(name.lower(), _providers(), n=1)
    hint = f"; did you mean {nearest[0]}?" if nearest else "."
    return f"{name!r} is not a DNS provider that lego knows{hint} All of them: {_LIST}"


def judge_variables(provider_name: str, text: str | None) -> Iterator[str]:
    """Yield what is wrong with what was given for a provider, never with a value."""
    provider = _providers()[provider_name]
    page = f"{_LIST}{provider_name}/"
    needed = ", ".join(provider.needs)
    try:
        given = parse_variables(text) if text else {}
    except ValueError as error:
        yield f"{error} (for {provider_name}: {needed or page})"
        return
    for name, value in given.items():
        if not provider.knows(name):
            nearest = difflib.get_close_matches(name, (*provider.needs, *provider.takes), n=1)
            hint = f"; did you mean {nearest[0]}?" if nearest else "."
            yield f"{name} is not a variable of {provider_name}{hint} See {page}"
        elif not value:
            yield f"{name} is empty"
    if provider.needs and not given:
        yield f"is required for {provider_name}, as NAME=VALUE lines of: {needed}; see {page}"


def _unquote(value: str) -> str:
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1] if quoted else value


@cache
def _providers() -> dict[str, Provider]:
    rows: dict[str, Any] = json.loads(TABLE.read_text())
    return {
        name: Provider(name, tuple(row["needs"]), tuple(row["takes"]))
        for name, row in rows["providers"].items()
    }
