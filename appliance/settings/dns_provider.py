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
# Keep one TXT value at a time: of the whole domain, or of each name. A second one replaces it, and
# certbot writes all before any is looked up. Source: lego's clients of their APIs.
_ONE_OF_DOMAIN = {"ddnss", "dnshomede", "duckdns", "freemyip"}
_ONE_OF_NAME = {"dnsupdate", "hurricane", "mittwald", "otc", "rfc2136", "sonic"}
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


def choose_names(name: str | None, domain: str, each: tuple[str, ...], *, bare: bool) -> list[str]:
    """Return what to have in a certificate from a provider: the wildcard and the bare domain.

    `each`: the hosts instead of the wildcard; `bare`: whether the bare domain has to be in it.
    """
    wildcard = f"*.{domain}"
    if name in _ONE_OF_NAME and bare:
        return [domain, *each]
    return [wildcard] if name in _ONE_OF_DOMAIN | _ONE_OF_NAME else [domain, wildcard]


def judge_names(name: str, names: tuple[str, ...]) -> str | None:
    """Return why a provider cannot prove all of these names together, None if it can."""
    if name in _ONE_OF_DOMAIN and len(names) > 1:
        return (
            f"{name} holds one TXT value at a time, and each name needs its own: give one, *.DOMAIN"
        )
    proved = [one.removeprefix("*.") for one in names]
    twice = next((one for one in proved if proved.count(one) > 1), None)
    if name in _ONE_OF_NAME and twice:
        return (
            f"{name} holds one TXT value of a name at a time, and {twice} and *.{twice} need two "
            "of one: give only one of them, or each host by itself"
        )
    return None


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
