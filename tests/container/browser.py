"""Chromium, as a person on the appliance's network would have it."""

import base64
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.sync_api import Browser, BrowserContext, Error, Page, sync_playwright

from .appliances import Appliance, LanAppliance

JAVASCRIPT = Path(__file__).parent / "js"
_BUNDLE = JAVASCRIPT / ".build/person.js"
WASM = JAVASCRIPT / "node_modules/@matrix-org/matrix-sdk-crypto-wasm/pkg"


@contextmanager
def open_browser(
    appliance: Appliance,
    *,
    trusting: bool = True,
    options: Sequence[str] = (),
    addresses: Sequence[str] = (),
    pins: Sequence[str] = (),
) -> Iterator[Browser]:
    """Start a Chromium that finds the appliance by name, and no other host at all.

    `trusting`: it takes the server's certificate as if its root had been installed, and those that
    `pins` are of. `addresses` are those that it reaches without a name.
    """
    executable = shutil.which("chromium") or shutil.which("chromium-browser")
    if executable is None:
        pytest.skip("missing: chromium (on Debian: apt install chromium)")
    options = [
        *options,
        f"--host-resolver-rules={_resolver_rules(appliance, addresses)}",
        # A page that a test supplies counts as from nowhere, which may not ask this machine.
        "--disable-features=LocalNetworkAccessChecks",
    ]
    if trusting and isinstance(appliance, LanAppliance):
        every = ",".join((find_pin(appliance), *pins))
        options.append(f"--ignore-certificate-errors-spki-list={every}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable, args=options, chromium_sandbox=os.getuid() != 0
        )
        yield browser
        browser.close()


def _resolver_rules(appliance: Appliance, addresses: Sequence[str]) -> str:
    ours = "MAP *.localhost 127.0.0.1"
    if isinstance(appliance, LanAppliance):
        ours = f"MAP *.{appliance.DOMAIN}:443 127.0.0.1:{appliance.https_port}"
    allowed = ", ".join(f"EXCLUDE {address}" for address in ("127.0.0.1", *addresses))
    return f"{ours}, MAP * ~NOTFOUND, {allowed}"


def find_pin(appliance: LanAppliance) -> str:
    """Return the hash of the server's key, whose certificate the appliance's root has vouched for.

    Chromium accepts that in the place of an installed root.
    """
    key = x509.load_der_x509_certificate(appliance.matrix.fetch_certificate()).public_key()
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(spki).digest()).decode()


def visit(page: Page, address: str) -> None:
    """Open an address; again where a container that came or went on this machine broke it off."""
    for attempt in range(5):
        try:
            answer = page.goto(address)
        except Error as error:
            if "ERR_NETWORK_CHANGED" not in str(error) or attempt == 4:
                raise
        else:
            # A page that only moves within itself (`#…`) asks nothing and has no answer.
            assert answer is None or answer.ok, f"{address}: {answer and answer.status}"
            assert page.url.startswith(address.partition("#")[0])
            return


@dataclass
class Seen:
    """What a page did: the hosts it asked, and what the browser complained about."""

    hosts: set[str] = field(default_factory=set)
    complaints: list[str] = field(default_factory=list)


def watch(page: Page) -> Seen:
    """Note from now on what a page does."""
    seen = Seen()

    def note_host(request: Any) -> None:
        address = urlsplit(request.url)
        if address.scheme in ("http", "https", "ws", "wss"):
            seen.hosts.add(str(address.hostname))

    def note_complaint(message: Any) -> None:
        if message.type in ("warning", "error"):
            seen.complaints.append(f"{message.text} {message.location['url']}")

    page.on("request", note_host)
    page.on("console", note_complaint)
    page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    return seen


class Person:
    """A device of somebody: `js/person.js` in a page of the web client's host, as Element is."""

    def __init__(self, browser: Browser, appliance: Appliance) -> None:
        self.context: BrowserContext = browser.new_context()
        self.page: Page = self.context.new_page()
        self.seen = watch(self.page)
        self.page.route("**/test-client/**", _serve_client)
        visit(self.page, f"{appliance.chat.url}/test-client/")
        self.page.evaluate("async () => { window.person = await import('/test-client/person.js') }")

    def do(self, action: str, *arguments: Any) -> Any:
        """Call a function of `js/person.js`."""
        return self.page.evaluate(
            "([action, given]) => window.person[action](...given)", [action, list(arguments)]
        )


def build_client() -> None:
    """Install what the lock file pins and bundle it, if that has not been done yet."""
    _run(install_client(), "run", "--silent", "build")


def install_client() -> str:
    """Install what the lock file pins, if that has not been done yet; return npm."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("missing: npm (on Debian: apt install npm)")
    lock = JAVASCRIPT / "package-lock.json"
    installed = JAVASCRIPT / "node_modules/.package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        _run(npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund")
    return npm


def _run(*command: str) -> None:
    done = subprocess.run(command, cwd=JAVASCRIPT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout}{done.stderr}"


def _serve_client(route: Any) -> None:
    name = urlsplit(route.request.url).path.rpartition("/")[2]
    if name == "":
        route.fulfill(body="<!doctype html><title>Test client</title>", content_type="text/html")
    elif name.endswith(".wasm"):
        route.fulfill(path=WASM / name, content_type="application/wasm")
    else:
        route.fulfill(path=_BUNDLE, content_type="text/javascript")
