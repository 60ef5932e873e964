import re
from html.parser import HTMLParser

import pytest

from appliance.landing_texts import TRANSLATIONS
from appliance.parts.landing import PART as LANDING

from .deployments import FILES, LAN, deployment, texts


class Page(HTMLParser):
    """What a page links to and loads."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.language = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        assert "style" not in values, "refused by the page's own policy"
        assert tag not in ("script", "style", "iframe"), "refused by the page's own policy"
        if tag == "a":
            self.links.append(values["href"])
        elif tag in ("img", "link"):
            self.loaded.append(values.get("src") or values["href"])
        elif tag == "html":
            self.language = values["lang"]


def page(environment: dict[str, str], language: str = "en", *, element: bool = True) -> str:
    of = deployment(environment, element=element)
    return texts(LANDING, of)[f"/run/landing/index.{language}.html"]


@pytest.mark.parametrize("language", TRANSLATIONS)
@pytest.mark.parametrize("environment", [{}, LAN, FILES])
def test_it_loads_nothing_from_elsewhere(environment: dict[str, str], language: str) -> None:
    found = Page(page(environment, language))
    assert found.language == language
    assert found.loaded
    assert all(address.startswith("/landing/") for address in found.loaded)


def test_every_language_has_every_sentence() -> None:
    english = TRANSLATIONS["en"]
    for language, sentences in TRANSLATIONS.items():
        assert sentences.keys() == english.keys(), language
        for key, sentence in sentences.items():
            places = sorted(re.findall(r"\{\w+\}", sentence))
            assert places == sorted(re.findall(r"\{\w+\}", english[key])), (language, key)


def test_every_sentence_is_used() -> None:
    environments = [
        {},
        {"MATRIX_LISTEN": "0.0.0.0"},
        {**LAN, "MATRIX_REGISTRATION": "closed"},
        {**LAN, "MATRIX_REGISTRATION": "token"},
        {**LAN, "MATRIX_REGISTRATION": "open"},
    ]
    shown = "".join(page(environment, "it") for environment in environments)
    for key, sentence in TRANSLATIONS["it"].items():
        longest = max(re.split(r"\{\w+\}|['’«»]", sentence), key=len)
        assert longest in shown, key


def test_phones_are_led_to_this_server() -> None:
    found = page({**FILES, "MATRIX_SERVER_NAME": "example.org"})
    link = "https://mobile.element.io/element?account_provider=example.org"
    assert link in Page(found).links
    assert "<svg" in found


def test_a_trial_shows_no_code_that_no_phone_could_use() -> None:
    found = page({})
    assert "<svg" not in found
    assert Page(found).links == ["http://chat.localhost"]


def test_without_a_web_client_there_is_no_link_to_one() -> None:
    assert Page(page({}, element=False)).links == []
    elsewhere = {"MATRIX_WEB_CLIENT_LOCATION": "https://chat.example.net"}
    assert Page(page(elsewhere, element=False)).links == ["https://chat.example.net"]


def test_an_own_authority_is_offered() -> None:
    assert "/appliance-ca.crt" in Page(page(LAN)).links
    assert "/appliance-ca.crt" not in Page(page(FILES)).links


def test_what_the_owner_wrote_is_text() -> None:
    found = page({"MATRIX_BRAND": "<b>Home</b> {domain}"})
    assert "<b>" not in found
    assert "&lt;b&gt;Home&lt;/b&gt; {domain}" in found


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_it_names_each_bot_and_what_to_say_first(language: str) -> None:
    found = page(LAN, language)
    assert "<code>@whatsappbot:matrix.home.lan</code> <code>login</code>" in found
    assert "telegrambot" not in found, "it cannot be had"
    assert "whatsappbot" not in page({}, language), "none was asked for"
