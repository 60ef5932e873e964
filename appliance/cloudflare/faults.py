"""What can be wrong with a token, its zone or the API, told apart and worded for the owner.

Knows no token: nothing it says can hold one.
"""

import re
import ssl
import time
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from appliance.errors import OperationError

VARIABLE = "MATRIX_CLOUDFLARE_API_TOKEN"
_MAKE = (
    "make one at https://dash.cloudflare.com/profile/api-tokens with the template “Edit zone DNS” "
    "(permission Zone / DNS / Edit)"
)
# Source: https://developers.cloudflare.com/fundamentals/api/troubleshooting/, and what the API
# says of tokens: facts that its reference leaves out.
_MALFORMED = {6003, 6111}
_WRONG_TOKEN = {9109, 1000, 9103}
# OpenSSL's words. Source: X509_verify_cert_error_string(3).
_OF_THE_CLOCK = ("certificate is not yet valid", "certificate has expired")
_SAID_AT_MOST = 200
_GLOBAL_KEY = re.compile(r"[0-9a-f]{37}")


class Fault(StrEnum):
    """What is wrong."""

    MALFORMED_TOKEN = "malformed-token"  # noqa: S105 - a name
    WRONG_TOKEN = "wrong-token"  # noqa: S105 - a name
    WRONG_PLACE = "wrong-place"
    MISSING_RIGHT = "missing-right"
    MISSING_ZONE = "missing-zone"
    OTHER_ZONE = "other-zone"
    INACTIVE_ZONE = "inactive-zone"
    UNREACHABLE = "unreachable"
    UNTRUSTED = "untrusted"
    RATE_LIMITED = "rate-limited"
    BROKEN = "broken"
    REFUSED = "refused"


class CloudflareError(OperationError):
    """Something asked of Cloudflare failed; its text says what to do about it."""

    def __init__(
        self, fault: Fault, message: str, *, code: int = 0, retry_after_seconds: int | None = None
    ) -> None:
        self.fault = fault
        self.code = code
        """Cloudflare's own number, 0 if it gave none."""
        self.retry_after_seconds = retry_after_seconds
        super().__init__(message)

    @property
    def passes_by_itself(self) -> bool:
        """Whether it may be gone without anybody doing something."""
        return self.fault in (Fault.UNREACHABLE, Fault.RATE_LIMITED, Fault.BROKEN)


def require_usable(token: str) -> None:
    """Raise CloudflareError if a token cannot even be sent."""
    if _GLOBAL_KEY.fullmatch(token):
        raise CloudflareError(
            Fault.MALFORMED_TOKEN,
            f"{VARIABLE}: looks like the Global API Key, which may do everything: {_MAKE}",
        )
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise _malformed()


def require_served(row: dict[str, Any]) -> None:
    """Given a zone as the API describes it, raise CloudflareError unless the world asks it."""
    status = row.get("status", "active")
    if status == "active":  # a paused one too: its proxy is switched off, its DNS is served
        return
    servers = ", ".join(row.get("name_servers") or ())
    raise CloudflareError(
        Fault.INACTIVE_ZONE,
        f"{row['name']} is at Cloudflare, but not in use there (it is {status}): at the company "
        f"where you bought the domain set its name servers to {servers or 'those of Cloudflare'}",
    )


def no_zone(domain: str, visible: Sequence[str]) -> CloudflareError:
    """Return the error of a domain in none of the zones that the token sees."""
    if visible:
        shown = ", ".join(visible[:5]) + (" …" if len(visible) > 5 else "")
        return CloudflareError(
            Fault.OTHER_ZONE,
            f"{VARIABLE}: is for {shown}, not for {domain}: under “Zone Resources” of the token "
            f"include the zone of {domain}, or add the domain at Cloudflare if it is not there",
        )
    return CloudflareError(
        Fault.MISSING_ZONE,
        f"{VARIABLE}: sees no zone at all, so none for {domain}: add the domain at Cloudflare if "
        "it is not there; under “Zone Resources” of the token include it; and give the token the "
        "permissions Zone / DNS / Edit and Zone / Zone / Read",
    )


def no_edit(zone: str, error: CloudflareError) -> CloudflareError:
    """Return the error of a token that sees a zone and may not change its records."""
    return CloudflareError(
        Fault.MISSING_RIGHT,
        f"{VARIABLE}: may not change the records of {zone}: at "
        "https://dash.cloudflare.com/profile/api-tokens edit the token and give it the permission "
        f"Zone / DNS / Edit for {zone}",
        code=error.code,
    )


def of_connection(host: str, error: Exception) -> CloudflareError:
    """Return the error of a request that had no whole answer."""
    if isinstance(error, ssl.SSLCertVerificationError):
        if error.verify_message in _OF_THE_CLOCK:
            return CloudflareError(
                Fault.UNTRUSTED,
                f"the certificate of Cloudflare's API ({host}) is not valid by this machine's "
                f"clock, which says {time.strftime('%d %B %Y, %H:%M UTC', time.gmtime())}: set the "
                "clock",
            )
        return CloudflareError(
            Fault.UNTRUSTED,
            f"the certificate of Cloudflare's API ({host}) is not trusted "
            f"({error.verify_message}): where a proxy opens TLS connections, mount its authority "
            "and name the file in MATRIX_ACME_CA_BUNDLE",
        )
    if isinstance(error, TimeoutError):
        reason = "it does not answer in time"
    else:
        reason = getattr(error, "strerror", None) or type(error).__name__
    return CloudflareError(
        Fault.UNREACHABLE,
        f"Cloudflare's API ({host}) cannot be reached: {reason}. It is tried again; until then "
        "look whether this machine reaches the internet, and at https://www.cloudflarestatus.com",
    )


def of_answer(status: int, answer: Any, retry_after: str | None) -> CloudflareError:
    """Given an answer that is no success, return the error."""
    rows = answer.get("errors") if isinstance(answer, dict) else None
    first = rows[0] if isinstance(rows, list) and rows and isinstance(rows[0], dict) else {}
    code = number if isinstance(number := first.get("code"), int) else 0
    message = " ".join(str(first.get("message", "")).split())[:_SAID_AT_MOST]
    said = f"{code} {message}" if first else f"status {status}"
    if status == 429:
        seconds = int(retry_after) if retry_after and retry_after.isdigit() else None
        when = f"in {seconds} s" if seconds is not None else "later"
        return CloudflareError(
            Fault.RATE_LIMITED,
            f"Cloudflare's API was asked too often with this account; it is tried again {when}",
            code=code,
            retry_after_seconds=seconds,
        )
    if status >= 500 or not first:
        return CloudflareError(
            Fault.BROKEN,
            f"Cloudflare's API is out of order ({said}). It is tried again; see "
            "https://www.cloudflarestatus.com",
            code=code,
        )
    return _explain(status, code, message, said)


def _explain(status: int, code: int, message: str, said: str) -> CloudflareError:
    if code in _MALFORMED:
        return _malformed(code)
    if code in _WRONG_TOKEN and "location" in message:
        return CloudflareError(
            Fault.WRONG_PLACE,
            f"{VARIABLE}: may not be used from here ({said}): take the “Client IP Address "
            "Filtering” off the token, since the address of a home changes",
            code=code,
        )
    if code in _WRONG_TOKEN and not message.startswith("Unauthorized to access"):
        return CloudflareError(
            Fault.WRONG_TOKEN,
            f"{VARIABLE}: Cloudflare does not know this token ({said}); it may have been deleted, "
            f"rolled or expired: {_MAKE}",
            code=code,
        )
    if status in (401, 403):
        return CloudflareError(
            Fault.MISSING_RIGHT,
            f"{VARIABLE}: is not allowed to do this ({said}): give the token the permission "
            "Zone / DNS / Edit at https://dash.cloudflare.com/profile/api-tokens",
            code=code,
        )
    return CloudflareError(Fault.REFUSED, f"Cloudflare refused: {said}", code=code)


def _malformed(code: int = 6003) -> CloudflareError:
    return CloudflareError(
        Fault.MALFORMED_TOKEN,
        f"{VARIABLE}: is not a token: give it alone, whole, without quotes, spaces or “Bearer”, or "
        f"{_MAKE}",
        code=code,
    )
