"""The page at `matrix.DOMAIN/`: whose server this is and how to get in. nginx serves it.

And the one that is shown where there is nothing.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from urllib.parse import quote

from appliance.bridges import selection
from appliance.files import Directory, Entry, File
from appliance.join_texts import TRANSLATIONS as JOIN_TRANSLATIONS
from appliance.landing_texts import TRANSLATIONS
from appliance.listeners import client_address
from appliance.machine import Machine
from appliance.parts.contract import Deployment, Part, Probe, Program
from appliance.parts.element import PART as ELEMENT
from appliance.probe import HttpProbe
from appliance.render import render_template
from appliance.settings import Settings, TlsMode

PAGES = "/run/landing"
_TEMPLATE = "run/landing/index.html.j2"
# As Element's own page for phones has it: opens Element X, or the store, with this server chosen.
_PHONE_LINK = "https://mobile.element.io/element?account_provider={}"


class Landing(Part):
    """The landing page and the page of a wrong address, once in each language."""

    name = "landing"
    order = 22

    def files(self, deployment: Deployment) -> Iterator[Entry]:
        """Yield the pages."""
        settings = deployment.settings
        phone = draw_phone(settings)
        yield Directory(PAGES)
        for language, texts in TRANSLATIONS.items():
            page = render_template(
                _TEMPLATE,
                language=language,
                text=fill(texts, settings),
                settings=settings,
                web_client=find_web_client(settings, deployment.machine),
                bridges=selection.enabled(settings, deployment.machine),
                own_authority=settings.tls_mode is TlsMode.SELF_SIGNED,
                **phone,
            )
            yield File(f"{PAGES}/index.{language}.html", page)
            lost = render_template(
                "run/landing/lost.html.j2",
                language=language,
                text=fill(JOIN_TRANSLATIONS[language], settings),
                settings=settings,
            )
            yield File(f"{PAGES}/lost.{language}.html", lost)

    def programs(self, deployment: Deployment) -> Iterable[Program]:
        """Return nothing: nginx serves the pages."""
        del deployment
        return ()

    def probes(self, deployment: Deployment) -> Iterable[Probe]:
        """Return a visit."""
        settings = deployment.settings
        address = client_address(settings, deployment.machine)
        return (HttpProbe(address, "/", settings.matrix_host, settings.tls),)


def fill(texts: Mapping[str, str], settings: Settings) -> dict[str, str]:
    """Return sentences with the names of this server in them."""
    names = {
        "brand": settings.brand,
        "server_name": settings.server_name,
        "domain": settings.domain,
    }
    return {key: sentence.format(**names) for key, sentence in texts.items()}


def find_web_client(settings: Settings, machine: Machine) -> str | None:
    """Return the address of the web client, None where there is none."""
    ours = ELEMENT.enabled(settings, machine)
    return settings.chat_url if ours or settings.web_client_location else None


def draw_phone(settings: Settings) -> dict[str, str | None]:
    """Return what pages show for phones: a link, and that as a QR code; None in a trial.

    No phone can reach a trial: what its page need not draw, its boot need not load.
    """
    if settings.trial:
        return {"phone_link": None, "phone_code": None}
    link = _PHONE_LINK.format(quote(settings.server_name, safe=""))
    return {"phone_link": link, "phone_code": _draw(link)}


@cache
def _draw(address: str) -> str:
    """Return an address as a QR code, an SVG image to stand in a page."""
    import segno  # 40 ms

    code = segno.make(address, micro=False, error="m")
    return code.svg_inline(border=2, omitsize=True, svgclass=None, lineclass=None)


PART = Landing()
