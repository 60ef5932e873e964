import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from appliance.join_texts import TRANSLATIONS
from appliance.parts.join import PART as JOIN
from appliance.parts.landing import PART as LANDING

from .deployments import FILES, LAN, PROXY, deployment, texts

SCRIPT = Path(__file__).parents[3] / "rootfs/usr/share/appliance/landing/join.js"


class Page(HTMLParser):
    """What a page loads and links to, and the names of its elements."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.described: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        assert "style" not in values, "refused by the page's own policy"
        assert not [name for name in values if name.startswith("on")]
        assert tag not in ("style", "iframe"), "refused by the page's own policy"
        if tag in ("img", "link", "script"):
            self.loaded.append(values.get("src") or values["href"])
        if tag == "a":
            self.links.append(values["href"])
        self.ids += [values["id"]] if "id" in values else []
        self.described += values.get("aria-describedby", "").split() + (
            [values["for"]] if "for" in values else []
        )


def page(environment: dict[str, str], language: str = "en", *, element: bool = True) -> str:
    of = deployment(environment, element=element)
    return texts(JOIN, of)[f"/run/landing/join.{language}.html"]


@pytest.mark.parametrize("language", TRANSLATIONS)
@pytest.mark.parametrize("environment", [{}, LAN, FILES, PROXY, {"MATRIX_RULES": "Be kind."}])
def test_it_loads_nothing_from_elsewhere(environment: dict[str, str], language: str) -> None:
    found = Page(page(environment, language))
    assert all(address.startswith("../landing/") for address in found.loaded)
    assert sorted(set(found.ids)) == sorted(found.ids)
    assert set(found.described) <= set(found.ids)


def test_every_language_has_every_sentence() -> None:
    english = TRANSLATIONS["en"]
    for language, sentences in TRANSLATIONS.items():
        assert sentences.keys() == english.keys(), language
        for key, sentence in sentences.items():
            places = sorted(re.findall(r"\{\w+\}", sentence))
            assert places == sorted(re.findall(r"\{\w+\}", english[key])), (language, key)


def test_every_sentence_is_used() -> None:
    rules = {**LAN, "MATRIX_RULES": "Be kind."}
    shown = "".join(page(one, "it") for one in (LAN, rules))
    shown += texts(LANDING, deployment(LAN))["/run/landing/lost.it.html"]
    for key, sentence in TRANSLATIONS["it"].items():
        longest = max(re.split(r"\{\w+\}|['’«»]", sentence), key=len)
        assert longest in shown, key


def test_the_script_finds_what_it_names() -> None:
    script, found = SCRIPT.read_text(), page({**LAN, "MATRIX_RULES": "Be kind."})
    sentences = re.findall(r'data-name="(\w+)"', found)
    named = re.findall(r'"((?:name|password|rules)_\w+|no_answer|failed|waiting|joining)"', script)
    assert set(named) == set(sentences)
    ids = Page(found).ids
    for name in re.findall(r'element\("([\w-]+)"\)|show\("(\w+)"\)', script):
        assert (name[0] or name[1]) in ids, name
    assert script.isascii()
    assert "http://" not in script
    assert "https://" not in script


def test_rules_are_text_to_agree_to() -> None:
    found = page({"MATRIX_RULES": "No <b>spam</b>.\nBe {kind}."})
    assert "No &lt;b&gt;spam&lt;/b&gt;.\nBe {kind}." in found
    assert 'id="agree"' in found
    assert 'id="agree"' not in page({})


def test_the_ways_on() -> None:
    assert "https://chat.example.org/#/login" in Page(page(FILES)).links
    elsewhere = {**FILES, "MATRIX_WEB_CLIENT_LOCATION": "https://chat.example.net"}
    assert "https://chat.example.net" in Page(page(elsewhere)).links
    without = page(FILES, element=False)
    assert not [one for one in Page(without).links if "chat." in one]
    assert "account_provider=matrix.example.org" in without
    assert "@whatsappbot:matrix.home.lan" in page(LAN)
