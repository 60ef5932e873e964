"""The web client and the landing page."""

from pydantic import BaseModel

from appliance.settings.types import Boolean, Url, variable


class WebSettings(BaseModel):
    """Variables about what a browser is shown."""

    element: Boolean | None = variable(
        None,
        help="Whether `chat.DOMAIN` serves the Element web client. Asked for by name, an image "
        "without it is an error; by default it is served where the image has it.",
        default_text="yes where the image has it",
    )
    web_client_location: Url | None = variable(
        None,
        help="Where the web client is, if not at `chat.DOMAIN`: links to it lead there.",
        default_text="`chat.DOMAIN`",
    )
    brand: str = variable(
        "Element", help="The name that the web client shows for itself.", min_length=1
    )
    default_country_code: str | None = variable(
        None,
        help="Two letters of the country whose telephone prefix the web client offers first.",
        pattern="^[A-Z]{2}$",
        default_text="the web client's own",
    )
