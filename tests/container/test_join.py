"""How people get in: from `appliance invite` to a session, on a phone and at a desk."""

import json
import re
import secrets
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from playwright.sync_api import TimeoutError as Late

from .appliances import LanAppliance, until
from .browser import Person, Seen, build_client, open_browser, visit, watch
from .http_client import Account, RefusedError
from .test_cli import attempt, listed, query

PASSWORD = "correct horse battery staple"
RULES = "Be kind.\n\nNo advertising."
SIZES = {"phone": (390, 844), "desk": (1280, 900)}


@pytest.fixture(scope="module")
def home() -> Iterator[LanAppliance]:
    """A server of its own: its limits on registrations would be felt elsewhere."""
    appliance = LanAppliance().with_variables(
        MATRIX_RULES=RULES, MATRIX_LOG_LEVEL="info", MATRIX_ADMIN_INVITE="yes"
    )
    with appliance:
        yield appliance
        assert appliance.unexpected_lines() == []


@pytest.fixture(scope="module")
def browser(home: LanAppliance) -> Iterator[Browser]:
    build_client()
    with open_browser(home) as opened:
        yield opened


def invite(home: LanAppliance, *options: str) -> str:
    """Return the link of a new invitation."""
    return str(json.loads(home.command("invite", *options, "--json"))["link"])


def any_name() -> str:
    return f"guest-{secrets.token_hex(4)}"


def open_page(
    browser: Browser, address: str, size: str = "desk", locale: str = "en-GB"
) -> tuple[Page, Seen]:
    width, height = SIZES[size]
    page = browser.new_page(locale=locale, viewport={"width": width, "height": height})
    page.set_default_timeout(90_000)
    seen = watch(page)
    settle(page, address)
    return page, seen


def settle(page: Page, address: str) -> None:
    """Open the page until its script is at work: any container that starts may break that off."""
    for last in (False, False, True):
        visit(page, "about:blank")  # or a change after # alone would load nothing
        visit(page, address)
        try:
            page.locator("#checking").wait_for(state="hidden", timeout=45_000)
        except Late:
            if last:
                raise
        else:
            return


def fill(page: Page, name: str | None, password: str = PASSWORD) -> None:
    if name is not None:
        page.get_by_label("Your name here").fill(name)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_label("The password again").fill(password)
    page.get_by_label("I have read the rules").check()


def wait_for(page: Page, text: str) -> None:
    expect(page.locator("main:visible").get_by_text(text)).to_be_visible(timeout=90_000)


def unexpected(seen: Seen) -> list[str]:
    """Return what the browser complained of.

    But for the protocol's own way of asking for more, and for a network that changed.
    """
    return [
        one
        for one in seen.complaints
        if not ("401" in one and "/v3/register" in one) and "ERR_NETWORK_CHANGED" not in one
    ]


@pytest.mark.parametrize("size", SIZES)
def test_from_an_invitation_to_a_session(home: LanAppliance, browser: Browser, size: str) -> None:
    name = any_name()
    page, seen = open_page(browser, link := invite(home, name), size)
    wait_for(page, "This name is free.")
    fill(page, None)
    page.get_by_role("button", name="Join").click()
    wait_for(page, f"Welcome, @{name}:{home.server_name}")
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size][0]
    phone = f"https://mobile.element.io/element?account_provider={home.server_name}"
    assert page.locator(f"a[href='{phone}']").is_visible()
    assert page.locator("main:visible svg").count() == 1
    # Whoever loads the page again has not lost the way on.
    settle(page, link)
    wait_for(page, f"Welcome, @{name}:{home.server_name}")
    assert unexpected(seen) == []
    assert seen.hosts == {f"matrix.{home.DOMAIN}"}
    assert page.context.cookies() == []

    person = Person(browser, home)
    session = person.do("logIn", home.matrix.url, name, PASSWORD)
    assert session["userId"] == f"@{name}:{home.server_name}"
    page.context.close()
    person.context.close()


def test_what_a_terminal_shows(home: LanAppliance) -> None:
    shown = home.command("invite", "--uses", "3", "--days", "1")
    assert re.match(rf"https://matrix\.{home.DOMAIN}/join/[a-z0-9-]{{23}}\n", shown)
    assert shown.count("\033[30;107m") > 15, "a code to photograph"
    assert "For 3 people, until 20" in shown
    assert f"http://matrix.{home.DOMAIN}/" in shown, "where trust in it begins"


def open_invalid(browser: Browser, address: str) -> str:
    """Return what the page of a bad invitation says."""
    page, seen = open_page(browser, address)
    wait_for(page, "This invitation is not good any more")
    assert page.evaluate("document.activeElement.textContent").startswith("This invitation")
    assert not page.get_by_label("Your name here").is_visible()
    said = page.locator("main:visible").inner_text()
    assert unexpected(seen) == []
    page.context.close()
    return said


def test_what_is_used_expired_or_unknown_says_so_kindly(
    home: LanAppliance, browser: Browser
) -> None:
    used, expired, revoked = invite(home), invite(home, "--days", "1"), invite(home)
    tokens = [link.rpartition("/")[2] for link in (used, expired, revoked)]
    register_patiently(home, any_name(), tokens[0])
    over = f"UPDATE registration_tokens SET expiry_time = 1 WHERE token = '{tokens[1]}'"  # noqa: S608
    query(home, over)
    home.command("invite", "revoke", revoked)
    unknown = f"{home.matrix.url}/join/never-was-one"
    for address in (used, expired, revoked, unknown):
        assert "ask the person who invited you for a new link" in open_invalid(browser, address)


def test_an_invitation_that_ends_meanwhile_says_so_too(
    home: LanAppliance, browser: Browser
) -> None:
    link = invite(home)
    page, _ = open_page(browser, link)
    wait_for(page, "Your name here")
    home.command("invite", "revoke", link)
    fill(page, any_name())
    page.get_by_role("button", name="Join").click()
    wait_for(page, "This invitation is not good any more")
    page.context.close()


def test_with_the_keyboard_alone(home: LanAppliance, browser: Browser) -> None:
    name = any_name()
    page, _ = open_page(browser, invite(home), locale="it-IT")
    wait_for(page, "Il tuo nome qui")
    assert page.locator("html").get_attribute("lang") == "it"
    page.keyboard.press("Tab")
    for text in (name, PASSWORD, PASSWORD):
        page.keyboard.type(text)
        page.keyboard.press("Tab")
    wait_for(page, "Questo nome è libero.")
    page.keyboard.press("Tab")  # past what shows the passwords
    page.keyboard.press("Enter")  # joins, from any field
    wait_for(page, "Spunta qui dopo aver letto le regole.")
    assert page.evaluate("document.activeElement.id") == "agree"
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "join"
    page.keyboard.press("Enter")
    wait_for(page, f"Ti diamo il benvenuto, @{name}:{home.server_name}")
    # A screen reader goes on there.
    assert page.evaluate("document.activeElement.textContent").endswith(home.server_name)
    page.context.close()


def test_what_a_screen_reader_is_told(home: LanAppliance, browser: Browser) -> None:
    page, _ = open_page(browser, invite(home), "phone")
    wait_for(page, "Your name here")
    for box in ("Your name here", "Password", "The password again"):
        assert page.get_by_role("textbox", name=box, exact=True).is_visible()
    assert page.get_by_role("heading", level=1).inner_text() == home.server_name
    page.get_by_role("button", name="Join").click()
    name = page.get_by_label("Your name here")
    assert page.evaluate("document.activeElement.id") == "name", "the first that is wrong"
    assert name.get_attribute("aria-invalid") == "true"
    assert "name-says" in str(name.get_attribute("aria-describedby"))
    assert page.locator("#name-says").inner_text() == "Choose a name."
    assert page.locator("#name-says").get_attribute("role") == "status"
    page.context.close()


def test_a_name_is_judged_as_it_is_typed(home: LanAppliance, browser: Browser) -> None:
    taken = any_name()
    home.command("user", "add", taken)
    page, _ = open_page(browser, invite(home))
    name = page.get_by_label("Your name here")
    name.fill(taken.upper())
    wait_for(page, "This name is taken")
    name.fill("not a name")
    wait_for(page, "Only the letters a to z")
    name.fill(f"@{any_name()}:{home.server_name}")  # as people copy it
    wait_for(page, "This name is free.")
    fill(page, taken)
    page.get_by_role("button", name="Join").click()
    wait_for(page, "This name is taken")
    # The invitation is still whole.
    name.fill(free := any_name())
    page.get_by_role("button", name="Join").click()
    wait_for(page, f"Welcome, @{free}:{home.server_name}")
    page.context.close()


def test_bots_gain_nothing(home: LanAppliance) -> None:
    """Nothing of ours stands behind the page: what limits the API limits it."""
    asked = "/_matrix/client/v1/register/m.login.registration_token/validity?token="
    answers = [home.matrix.get(f"{asked}{secrets.token_hex(8)}") for _ in range(8)]
    assert answers[-1].status == 429, [one.status for one in answers]
    assert answers[-1].json()["errcode"] == "M_LIMIT_EXCEEDED"
    token = json.loads(home.command("invite", "--json"))["token"]
    assert len(token.replace("-", "")) == 20
    # The page tells nothing of a token, nor of a name.
    pages = {home.matrix.get(f"/join/{one}").body for one in (token, "never-was-one")}
    assert len(pages) == 1
    for method in ("POST", "PUT", "DELETE"):
        assert home.matrix.request(method, f"/join/{token}", b"{}").status in (404, 405)


def test_the_page_and_what_it_may_do(home: LanAppliance) -> None:
    page = home.matrix.get(f"/join/{secrets.token_hex(8)}")
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'; script-src 'self'; style-src 'self';" in policy
    assert "unsafe" not in policy
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert b"No advertising." in page.body
    assert not re.search(rb"(<style|\sstyle=|\son\w+=|<script(?![^>]* src=))", page.body)


@pytest.mark.parametrize("path", ["/join/", "/join/a/b", "/nothing"])
def test_a_wrong_address_is_shown_the_way(home: LanAppliance, path: str) -> None:
    answer = home.matrix.get(path, Accept_Language="it")
    assert (answer.status, b"Qui non c" in answer.body) == (404, True)
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_who_joins_by_an_administrators_invitation_becomes_one(home: LanAppliance) -> None:
    """The one account that used it, and no other, whatever its name."""
    token = json.loads(home.command("invite", "boss", "--admin", "--json"))["token"]
    ordinary = json.loads(home.command("invite", "--json"))["token"]
    other = register_patiently(home, "boss", ordinary)
    name = any_name()
    register_patiently(home, name, token)
    until(lambda: listed(home)[name]["admin"], "the administrator")
    assert listed(home)["boss"]["admin"] is False
    assert other.user_id == f"@boss:{home.server_name}"
    stored = home.run("cat", "/data/invitations.json")
    assert token not in stored
    assert home.run("stat", "-c", "%U %G %a", "/data/invitations.json") == "root synapse 640\n"


def test_invitations_from_their_making_to_their_end(home: LanAppliance) -> None:
    made = json.loads(home.command("invite", "carol", "--admin", "--json"))
    assert made["link"] == f"{home.matrix.url}/join/{made['token']}#carol"
    assert re.search(rf"{made['token']}  carol +admin  0 of 1  ", home.command("invite", "list"))
    rows = {row["token"]: row for row in json.loads(home.command("invite", "list", "--json"))}
    assert (rows[made["token"]]["name"], rows[made["token"]]["admin"]) == ("carol", True)
    home.command("invite", "revoke", "carol")
    assert made["token"] not in home.command("invite", "list")
    again = attempt(home, "invite", "revoke", made["link"])
    assert (again.status, "no such invitation" in again.complaints) == (1, True)
    home.command("user", "add", name := any_name())
    taken = attempt(home, "invite", name)
    assert (taken.status, "exists already" in taken.complaints) == (1, True)
    assert attempt(home, "invite", "Bob Smith").status == 1
    assert attempt(home, "invite", "--admin", "--uses", "2").status == 2


FIRST = re.compile(r"^invitation *\| .*: (https://\S+/join/\S+)$", re.MULTILINE)


def first_token(home: LanAppliance) -> str:
    """Return the token of the one link that the first boot logged."""
    (link,) = until(lambda: FIRST.findall(home.logs()), "the link")
    return str(link).rpartition("/")[2]


def test_no_invitation_is_in_any_log(home: LanAppliance) -> None:
    tokens = [row["token"] for row in json.loads(home.command("invite", "list", "--json"))]
    tokens.remove(first_token(home))  # which is to be read there
    assert len(tokens) > 5
    said = home.logs() + home.run("sh", "-c", "cat /run/appliance/logs/*")
    assert [line for line in said.splitlines() if any(one in line for one in tokens)] == []
    assert "/validity?token=<redacted>" in said, "they were in what Synapse wrote"


def register_patiently(home: LanAppliance, name: str, token: str) -> Account:
    """Register as soon as the server lets this address."""

    def register() -> Account | None:
        try:
            return Account.register(home.matrix, name, token)
        except RefusedError as refusal:
            if refusal.code != "M_LIMIT_EXCEEDED":
                raise
            return None

    return until(register, "a registration")


def test_the_first_boot_logs_one_link_for_the_first_administrator(home: LanAppliance) -> None:
    """The last here: it boots the appliance again."""
    token, name = first_token(home), any_name()
    register_patiently(home, name, token)
    until(lambda: listed(home)[name]["admin"], "the administrator")
    assert home.shut_down() == 0
    home.boot()
    until(lambda: home.found("programs"), "the agent has looked")
    assert first_token(home) == token
    assert home.found("admin-invitation") == {}
