"""The page at `matrix.DOMAIN/join/TOKEN`, where who was invited makes an account. nginx serves it.

What it does is in join.js, by the client API alone: nothing of ours stands behind it.
"""

from collections.abc import Iterable, Iterator

from appliance.bridges import selection
from appliance.files import Entry, File
from appliance.join_texts import TRANSLATIONS
from appliance.landing_texts import TRANSLATIONS as LANDING_TRANSLATIONS
from appliance.parts import landing
from appliance.parts.contract import Deployment, Part, Program
from appliance.parts.element import PART as ELEMENT
from appliance.paths import NGINX
from appliance.render import render_template
from appliance.settings import TlsMode

# The sentences that the script chooses from.
_MESSAGES = (
    *("name_missing", "name_letters", "name_long", "name_asking", "name_free", "name_taken"),
    *("name_refused", "password_short", "password_weak", "password_differs", "rules_open"),
    *("joining", "waiting", "no_answer", "failed"),
)


class Join(Part):
    """The join page, once in each language."""

    name = "join"
    order = 23

    def files(self, deployment: Deployment) -> Iterator[Entry]:
        """Yield the pages and their place in nginx."""
        settings, machine = deployment.settings, deployment.machine
        sign_in = landing.find_web_client(settings, machine)
        if sign_in and ELEMENT.enabled(settings, machine) and not settings.web_client_location:
            sign_in += "/#/login"
        for language, texts in TRANSLATIONS.items():
            sentences = {**LANDING_TRANSLATIONS[language], **texts}
            page = render_template(
                "run/landing/join.html.j2",
                language=language,
                text=landing.fill(sentences, settings),
                messages=_MESSAGES,
                settings=settings,
                web_client=sign_in,
                bridges=selection.enabled(settings, machine),
                own_authority=settings.tls_mode is TlsMode.SELF_SIGNED,
                **landing.draw_phone(settings),
            )
            yield File(f"{landing.PAGES}/join.{language}.html", page)
        text = render_template(
            "run/nginx/matrix.d/join.conf.j2",
            settings=settings,
            directory=NGINX,
            pages=landing.PAGES,
        )
        yield File(f"{NGINX}/matrix.d/join.conf", text)

    def programs(self, deployment: Deployment) -> Iterable[Program]:
        """Return nothing: nginx serves the pages."""
        del deployment
        return ()


PART = Join()
