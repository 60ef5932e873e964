"""The two documents by which clients and other servers find us.

nginx serves them; `appliance well-known` prints them for a domain that is hosted elsewhere.
"""

from urllib.parse import urlsplit

from appliance.render import render_template
from appliance.settings import Federation, Settings

DIRECTORY = "/run/well-known/matrix"


def render_documents(settings: Settings, calls: str | None) -> dict[str, str]:
    """Return each document by its name below `/.well-known/matrix/`.

    `calls` is where clients find the service for calls, if there are calls.
    Source: Matrix specification, client-server API "Well-known URI", server-server API "Server
    discovery".
    """
    names = ["client"] if settings.federation is Federation.OFF else ["client", "server"]
    return {
        name: render_template(
            f"run/well-known/matrix/{name}.json.j2",
            settings=settings,
            delegate=_delegate(settings),
            calls=calls,
        )
        for name in names
    }


def _delegate(settings: Settings) -> str:
    """Return where other servers come, who speak HTTPS whatever clients do."""
    address = urlsplit(settings.base_url)
    if settings.https and address.scheme == "http":  # that of a relay in front of some clients
        address = urlsplit(settings.address_of(settings.matrix_host))
    # A server name without a port would mean 8448.
    return f"{address.hostname}:{address.port or 443}"


def describe(settings: Settings, calls: str | None) -> str:
    """Return the documents with where each belongs, with which headers, and how to check it."""
    name = settings.server_name
    lines = []
    for document, text in render_documents(settings, calls).items():
        lines += [f"https://{name}/.well-known/matrix/{document}", "", text]
    lines += [
        "Both are files of exactly these names and contents, served by HTTPS with a certificate of",
        "a public authority, with status 200 and these headers:",
        "",
        "    Content-Type: application/json",
        "    Access-Control-Allow-Origin: *      or no browser may read them",
        "    Cache-Control: no-cache             or an old one is used after a change",
        "",
        "Check them from another network:",
        "",
    ]
    lines += [
        f"    curl -isS https://{name}/.well-known/matrix/{document}"
        for document in render_documents(settings, calls)
    ]
    if name != settings.domain:
        lines += ["", f"The appliance itself serves them at {name}; nothing is to be done."]
    return "\n".join(lines)
