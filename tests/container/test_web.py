"""What a browser is shown without the web client: the landing page, and well-known."""

import pytest

from .appliances import Appliance, LanAppliance
from .browser import open_browser, visit, watch
from .conftest import Boot

CLIENT = "/.well-known/matrix/client"


@pytest.mark.parametrize("kind", ["trial", "lan"])
def test_landing_page_in_a_browser(kind: str, request: pytest.FixtureRequest) -> None:
    appliance: Appliance = request.getfixturevalue(kind)
    with open_browser(appliance) as browser:
        page = browser.new_page(locale="en-GB")
        seen = watch(page)
        visit(page, f"{appliance.matrix.url}/")
        assert page.get_by_role("heading", level=1).inner_text() == appliance.server_name
        assert page.evaluate("document.querySelector('header img').naturalWidth > 0")
        assert page.evaluate("document.styleSheets.length") == 1
        # It fits a telephone.
        page.set_viewport_size({"width": 320, "height": 640})
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert seen.complaints == []
    assert seen.hosts == {appliance.matrix.host}


def test_landing_page_speaks_the_language_of_the_browser(trial: Appliance) -> None:
    italian = trial.matrix.get("/", Accept_Language="it-IT,it;q=0.9,en;q=0.8")
    assert b'<html lang="it">' in italian.body
    assert b'<html lang="en">' in trial.matrix.get("/", Accept_Language="fr").body
    assert "Accept-Language" in italian.headers["Vary"]


def test_landing_page_headers(lan: LanAppliance) -> None:
    page = lan.matrix.get("/")
    assert page.headers["Content-Type"].startswith("text/html")
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert page.headers["Cache-Control"] == "no-cache"
    assert "/" not in page.headers["Server"], "no version"


def test_phone_is_led_to_this_server(lan: LanAppliance) -> None:
    page = lan.matrix.get("/").body.decode()
    assert f"https://mobile.element.io/element?account_provider={lan.server_name}" in page
    assert "<svg" in page
    assert 'href="/appliance-ca.crt"' in page


def test_client_well_known(lan: LanAppliance) -> None:
    answer = lan.matrix.get(CLIENT)
    assert answer.json()["m.homeserver"] == {"base_url": lan.matrix.url}
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Cache-Control"] == "no-cache"


def test_server_well_known_is_there_only_with_federation(boot: Boot, lan: LanAppliance) -> None:
    assert lan.matrix.get("/.well-known/matrix/server").status == 404
    federated = LanAppliance().with_variables(MATRIX_FEDERATION="on")
    boot(federated)
    answer = federated.matrix.get("/.well-known/matrix/server")
    assert answer.json() == {"m.server": f"matrix.{federated.DOMAIN}:443"}
    assert answer.headers["Content-Type"] == "application/json"
    version = federated.matrix.get("/_matrix/federation/v1/version")
    assert version.json()["server"]["name"] == "Synapse"


def test_unknown_host_is_answered_nothing(trial: Appliance) -> None:
    """A page of the internet whose name points at 127.0.0.1 reaches nothing."""
    answer = trial.matrix.request("GET", CLIENT, headers={"Host": "evil.example.org"})
    assert answer.status == 421


def test_chat_without_a_web_client_shows_the_landing_page(
    lan: LanAppliance, element_in_image: bool
) -> None:
    if element_in_image:
        pytest.skip("the image has Element: test_element.py looks at it")
    assert lan.chat.get("/").body == lan.matrix.get("/").body
