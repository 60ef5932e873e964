"""The web client at `chat.DOMAIN`: how it is served, and Element itself if it is there."""

import gzip
import hashlib
import os
import re
import secrets
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
from playwright.sync_api import Page

from builder.engine import ensure_engine

from . import stand_in
from .appliances import Appliance, LanAppliance, until
from .browser import open_browser, visit, watch
from .conftest import Boot
from .http_client import PASSWORD, Account
from .test_hardening import draw_png
from .volumes import Volume

IMMUTABLE = "public, max-age=31536000, immutable"


@pytest.fixture(scope="module")
def image_with_client(
    docker_client: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """An image with the stand-in, built the way an owner does who has the release as a file."""
    tag = f"matrix-appliance:stand-in-{secrets.token_hex(4)}"
    stand_in.build(ensure_engine(os.environ), tmp_path_factory.mktemp("artifacts"), tag)
    yield tag
    docker_client.images.remove(tag, force=True)


@pytest.fixture(scope="module")
def served(image_with_client: str) -> Iterator[LanAppliance]:
    """A server for a home network with the stand-in."""
    with LanAppliance(image=image_with_client) as appliance:
        yield appliance
        assert appliance.unexpected_lines() == []


@pytest.mark.parametrize(
    ("path", "caching"),
    [
        ("/", "no-cache"),
        ("/index.html", "no-cache"),
        ("/config.json", "no-cache"),
        ("/version", "no-cache"),
        ("/sw.js", "no-cache"),
        ("/i18n/languages.json", "no-cache"),
        ("/widgets/element-call/index.html", "no-cache"),
        ("/bundles/0123abc/bundle.js", IMMUTABLE),
        ("/bundles/0123abc/core.wasm", IMMUTABLE),
        ("/i18n/en_EN.0123abc.json", IMMUTABLE),
        ("/img/logo.0123abc.svg", IMMUTABLE),
        ("/widgets/element-call/assets/index-0123abcd.js", IMMUTABLE),
    ],
)
def test_only_what_is_named_by_its_hash_is_kept(
    served: LanAppliance, path: str, caching: str
) -> None:
    answer = served.chat.get(path)
    assert answer.status == 200
    assert answer.headers["Cache-Control"] == caching
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    # Encrypted files are downloaded through a frame of another origin.
    assert "Cross-Origin-Resource-Policy" not in answer.headers


def test_nothing_that_is_missing_is_kept(served: LanAppliance) -> None:
    missing = served.chat.get("/bundles/0123abc/other.js")
    assert missing.status == 404
    assert "immutable" not in missing.headers.get("Cache-Control", "")
    assert served.chat.get("/config.sample.json").status == 404


def test_pages_may_do_what_element_does_and_no_more(served: LanAppliance) -> None:
    headers = served.chat.get("/").headers
    policy = parse_policy(headers["Content-Security-Policy"])
    assert policy["default-src"] == {"'none'"}
    assert policy["script-src"] == {"'self'", "'wasm-unsafe-eval'"}
    assert "blob:" in policy["worker-src"] & policy["img-src"] & policy["media-src"]
    assert policy["object-src"] == {"'none'"}
    assert policy["frame-ancestors"] == {"'self'"}
    assert not {"http:", "ws:"} & policy["connect-src"], "no plain text beside HTTPS"
    assert headers["X-Frame-Options"] == "SAMEORIGIN"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin-allow-popups"
    assert "microphone=(self)" in headers["Permissions-Policy"]
    assert "usb=()" in headers["Permissions-Policy"]


def test_inline_script_of_the_call_widget_is_allowed_by_its_hash(served: LanAppliance) -> None:
    page = served.chat.get("/widgets/element-call/index.html")
    script = re.findall(rb"<script>(.*?)</script>", page.body, re.DOTALL)[0]
    expected = b64encode(hashlib.sha256(script).digest()).decode()
    policy = parse_policy(page.headers["Content-Security-Policy"])
    assert policy["script-src"] == {"'self'", "'wasm-unsafe-eval'", f"'sha256-{expected}'"}


def parse_policy(text: str) -> dict[str, set[str]]:
    """Return the sources of each directive."""
    directives = (directive.split() for directive in text.split(";"))
    return {name: set(sources) for name, *sources in directives}


@pytest.mark.parametrize("path", ["/", "/i18n/en_EN.0123abc.json"])
def test_files_are_compressed_for_who_can_read_that(served: LanAppliance, path: str) -> None:
    plain = served.chat.get(path)
    assert "Content-Encoding" not in plain.headers
    packed = served.chat.get(path, Accept_Encoding="gzip")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert packed.headers["Content-Type"] == plain.headers["Content-Type"]


def test_types_that_browsers_insist_on(served: LanAppliance) -> None:
    types = {
        "/": "text/html",
        "/bundles/0123abc/bundle.js": "javascript",
        "/bundles/0123abc/core.wasm": "application/wasm",
        "/config.json": "application/json",
    }
    for path, kind in types.items():
        assert kind in served.chat.get(path).headers["Content-Type"]


def test_config_leads_to_this_server_and_nowhere_else(served: LanAppliance) -> None:
    answer = served.chat.get("/config.json")
    assert answer.json()["default_server_config"] == {
        "m.homeserver": {"base_url": served.matrix.url, "server_name": served.server_name}
    }
    hosts = set(re.findall(r"https?://([^/\"]+)", answer.body.decode()))
    assert hosts == {served.matrix.host, served.chat.host}
    # Element asks for this one first; it is not there.
    assert served.chat.get(f"/config.{served.chat.host}.json").status == 404


@pytest.mark.parametrize("page", ["/", "/widgets/element-call/index.html"])
def test_it_works_in_a_browser(served: LanAppliance, page: str) -> None:
    with open_browser(served) as browser:
        tab = browser.new_page()
        seen = watch(tab)
        visit(tab, f"{served.chat.url}{page}")
        until(lambda: tab.title() != "starting", "its script has run")
        assert tab.title() == "works"
    assert seen.complaints == []
    assert seen.hosts <= {served.matrix.host, served.chat.host}


def test_it_works_in_a_browser_in_the_trial(boot: Boot, image_with_client: str) -> None:
    trial = boot(Appliance(image=image_with_client))
    with open_browser(trial) as browser:
        tab = browser.new_page()
        visit(tab, f"{trial.chat.url}/")
        until(lambda: tab.title() != "starting", "its script has run")
        assert tab.title() == "works"


def test_owners_configuration_is_merged_and_a_clash_is_refused(
    boot: Boot, image_with_client: str, volume: Volume
) -> None:
    file = "/data/custom/element/config.json"
    clash = LanAppliance(image=image_with_client, data=volume)
    ending = clash.with_copy_into_container(b'{"brand": "Mine"}', file).run_to_end()
    assert ending.status == 2
    assert f"{file}: brand belongs to the appliance: set MATRIX_BRAND" in ending.log
    appliance = LanAppliance(image=image_with_client, data=volume)
    appliance.with_copy_into_container(b'{"default_theme": "dark"}', file)
    boot(appliance.with_variables(MATRIX_BRAND="Mine"))
    config = appliance.chat.get("/config.json").json()
    assert (config["brand"], config["default_theme"]) == ("Mine", "dark")


def test_asked_for_by_name_where_the_image_has_none(element_in_image: bool) -> None:
    if element_in_image:
        pytest.skip("missing: an image without Element")
    appliance = Appliance().with_variables(MATRIX_ELEMENT="yes")
    ending = appliance.run_to_end()
    assert ending.status == 2
    assert "MATRIX_ELEMENT: is yes, but this image holds no Element" in ending.log


def test_two_people_in_element(boot: Boot, element_in_image: bool, tmp_path: Path) -> None:
    """Register, log in, write, send a picture; nobody else's server is asked."""
    if not element_in_image:
        pytest.skip(
            "missing: Element in the image (its release could not be downloaded at the build; put "
            "it under artifacts/ and build again)"
        )
    picture = tmp_path / "picture.png"
    picture.write_bytes(draw_png(64, 64))
    appliance = boot(
        Appliance()
        .expect(r"Ignoring initial_device_display_name without password", "as Element registers")
        .expect(r"TXN OPERROR .*could not serialize access", "Synapse tries again")
        .expect(r"^postgres +\| +ERROR: +could not serialize access", "Synapse tries again")
    )
    bob = appliance.make_account("bob")
    with open_browser(appliance) as browser:
        tabs = [browser.new_context(locale="en-GB").new_page() for _ in range(2)]
        seen = [watch(tab) for tab in tabs]
        sign_up(tabs[0], appliance, "alice")
        log_in(tabs[1], appliance, "bob")
        room = bob.create_room(name="Two people", invite=[f"@alice:{appliance.server_name}"])
        Account.log_in(appliance.matrix, "alice").ask("POST", f"/v3/join/{room}", {})
        for tab in tabs:
            visit(tab, f"{appliance.chat.url}/#/room/{room}")
        write(tabs[0], "hello Bob")
        tabs[1].get_by_text("hello Bob").wait_for()
        write(tabs[1], "hello Alice")
        tabs[0].get_by_text("hello Alice").wait_for()
        tabs[0].locator("input[type=file]").first.set_input_files(picture)
        tabs[0].get_by_role("button", name="Upload").click()
        shown = tabs[1].get_by_alt_text(picture.name)
        shown.wait_for()
        until(lambda: shown.evaluate("image => image.naturalWidth"), "the picture is drawn")
    hosts = seen[0].hosts | seen[1].hosts
    assert hosts == {appliance.matrix.host, appliance.chat.host}


def sign_up(tab: Page, appliance: Appliance, name: str) -> None:
    visit(tab, f"{appliance.chat.url}/#/register")
    tab.get_by_label("Username").fill(name)
    tab.get_by_label("Password", exact=True).fill(PASSWORD)
    tab.get_by_label("Confirm password").fill(PASSWORD)
    tab.get_by_role("button", name="Register").click()
    tab.get_by_text(f"Welcome {name}").wait_for()


def log_in(tab: Page, appliance: Appliance, name: str) -> None:
    visit(tab, f"{appliance.chat.url}/#/login")
    tab.get_by_label("Username").fill(name)
    tab.get_by_label("Password", exact=True).fill(PASSWORD)
    tab.get_by_role("button", name="Sign in").click()
    tab.get_by_text(f"Welcome {name}").wait_for()


def write(tab: Page, text: str) -> None:
    composer = tab.get_by_role("textbox", name=re.compile("message", re.IGNORECASE))
    composer.fill(text)
    composer.press("Enter")
