"""Why certbot failed, in one line with what to do: its exit status says little, its log all.

Pure: text to a failure.
"""

import email.utils
import re
import time
from calendar import timegm
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from appliance.certificates.state import format_time

if TYPE_CHECKING:
    from appliance.certificates.acme.certbot import Run
    from appliance.settings import Settings

_SAID_AT_MOST = 300
# What certbot-dns-multi raises, whatever lego has to say.
_REFUSED_BY_PROVIDER = "certbot.errors.PluginError: "

_RATE_LIMIT_SECONDS = 3600
_NEEDS_ACCOUNT = (
    "{server} issues only to accounts that you have there: give MATRIX_ACME_EAB_KID and "
    "MATRIX_ACME_EAB_HMAC_KEY, which you find on its site"
)
# Types of ACME's errors (RFC 8555, 6.7), and what the owner is told of each.
_ABOUT_THE_PROOF = ("dns", "unauthorized", "incorrectResponse", "connection")
_ABOUT_THE_BINDING = ("malformed", "badSignatureAlgorithm", "badPublicKey")
_BAD_NAMES = "{server} does not issue for these names ({detail}): see MATRIX_ACME_NAMES"
_BAD_CONTACT = "MATRIX_ACME_EMAIL: {server} does not accept the address ({detail})"
_OUT_OF_ORDER = "{server} is out of order ({detail}); it is asked again"
_SAID = {
    "rateLimited": "{server} was asked too often for now ({detail}): nothing to do but wait; it is "
    "asked again after {retry}",
    "caa": "a CAA record in the DNS forbids {server} to issue ({detail}): allow it there, or "
    "remove the record",
    "accountDoesNotExist": "{server} does not know the account that is kept here: a new one is "
    "made",
    "externalAccountRequired": _NEEDS_ACCOUNT,
    "rejectedIdentifier": _BAD_NAMES,
    "unsupportedIdentifier": _BAD_NAMES,
    "invalidContact": _BAD_CONTACT,
    "unsupportedContact": _BAD_CONTACT,
    "userActionRequired": "{server} wants you to do something first ({detail})",
    "serverInternal": _OUT_OF_ORDER,
    "badNonce": _OUT_OF_ORDER,
    "orderNotReady": _OUT_OF_ORDER,
}
# What a log holds when nobody at the authority said why, and what the owner is told; the first that
# is found counts.
_SURROUNDINGS = (
    (r"No space left on device", "the disk is full: make room on the volume at /data"),
    (r"Read-only file system", "the volume at /data is read-only: mount it for writing"),
    (r"requires external account binding", _NEEDS_ACCOUNT),
    (
        r"Incorrect padding|Invalid base64|eab.hmac.key",
        "MATRIX_ACME_EAB_HMAC_KEY: is not a key as authorities hand it out (base64url): give it as "
        "you got it",
    ),
    (
        r"certificate is not yet valid|certificate has expired",
        "the certificate of {directory} is not valid by this machine's clock, which says {clock}: "
        "set the clock",
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED|SSLCertVerificationError",
        "the certificate of {directory} is not trusted: name the root certificate of your "
        "authority, or of the proxy that opens TLS connections, in MATRIX_ACME_CA_BUNDLE",
    ),
    (
        r"NameResolutionError|Name or service not known|Temporary failure in name resolution",
        "{directory} has no address for this machine: see whether it reaches the internet and its "
        "DNS server answers",
    ),
    (
        r"ConnectTimeout|ReadTimeout|timed out|Connection refused|Connection reset|"
        r"Network is unreachable|No route to host|RemoteDisconnected|Connection aborted",
        "{directory} cannot be reached: see whether this machine reaches the internet; it is asked "
        "again",
    ),
    (
        r"communicating with the Cloudflare API|Unable to determine zone_id",
        "Cloudflare did not take the record ({cloudflare}); it is tried again",
    ),
    (
        r"HTTP 50\d|HTTP 429|Unable to load the ACME directory|Expecting value: line",
        "{server} is out of order ({last}); it is asked again",
    ),
)


class Fault(StrEnum):
    """What went wrong, as far as anybody but the owner has to act differently."""

    UNKNOWN_ACCOUNT = "unknown-account"
    RECORD_NOT_FOUND = "record-not-found"
    OTHER = "other"


@dataclass(frozen=True)
class Failure:
    """What went wrong, for the owner."""

    fault: Fault
    message: str
    retry_at: float | None = None
    """When the authority wants to be asked again."""


@dataclass(frozen=True)
class _Said:
    """What a log says: the error's type without its prefix, and its detail."""

    type: str
    detail: str


def explain(run: "Run", settings: "Settings", now: float) -> Failure:
    """Given a run that failed, say why."""
    text = f"{run.log}\n{run.output}"
    if not run.in_time:
        return Failure(
            Fault.OTHER,
            "the authority or the DNS provider did not answer in time: see whether this machine "
            "reaches both",
        )
    said = _find_said(run, text)
    retry_at = _find_retry(text, now)
    if said is None and settings.acme_challenge == "dns-multi" and _REFUSED_BY_PROVIDER in run.log:
        return _explain_provider(_last_line(run.output), settings)
    if said is not None:
        return _explain_said(said, settings, retry_at, now)
    return _explain_surroundings(text, run, settings, now)


def _explain_said(said: _Said, settings: "Settings", retry_at: float | None, now: float) -> Failure:
    """Explain an error of the authority. Source: RFC 8555, 6.7; Let's Encrypt's rate limits."""
    if said.type in _ABOUT_THE_PROOF:
        return _explain_proof(said, settings, retry_at)
    message = _SAID.get(said.type, "{server} refuses: {detail} ({type})")
    if said.type == "rateLimited":
        retry_at = retry_at or now + _RATE_LIMIT_SECONDS
    elif said.type in _ABOUT_THE_BINDING and settings.acme_eab_kid:
        message = "MATRIX_ACME_EAB_KID: {server} does not accept the account binding ({detail})"
    told = message.format(
        server=settings.acme_server,
        detail=said.detail,
        type=said.type,
        retry=format_time(retry_at or now),
    )
    unknown = said.type == "accountDoesNotExist"
    return Failure(Fault.UNKNOWN_ACCOUNT if unknown else Fault.OTHER, told, retry_at)


def _explain_proof(said: _Said, settings: "Settings", retry_at: float | None) -> Failure:
    """Explain that the authority did not find what shows that the names are the owner's."""
    server, detail = settings.acme_server, said.detail
    if settings.acme_challenge == "http":
        port = "" if settings.http_port == 80 else f"'s port {settings.http_port}"
        return Failure(
            Fault.OTHER,
            f"{server} did not find this machine at its names ({detail}): lead port 80, the only "
            f"one that it asks, through router and firewall to this machine{port}",
            retry_at,
        )
    return Failure(
        Fault.RECORD_NOT_FOUND,
        f"{server} did not find the proof that the names are yours ({detail}): the record may take "
        "longer to be seen (raise MATRIX_ACME_PROPAGATION), or the domain's name servers are not "
        "those where the record is written",
        retry_at,
    )


def _explain_provider(last: str, settings: "Settings") -> Failure:
    """Explain what lego said of a DNS provider."""
    provider = settings.acme_dns_provider
    if re.search(r"dial tcp|no such host|timeout|deadline exceeded|connection re", last):
        message = f"{provider} cannot be reached ({last}); it is asked again"
    else:
        message = (
            f"{provider} does not take the record ({last}): see MATRIX_ACME_DNS_CREDENTIALS and "
            f"https://go-acme.github.io/lego/dns/{provider}/"
        )
    return Failure(Fault.OTHER, message)


def _explain_surroundings(text: str, run: "Run", settings: "Settings", now: float) -> Failure:
    """Explain a failure in which the authority did not say a word."""
    last = _last_line(run.output)
    found = (message for cause, message in _SURROUNDINGS if re.search(cause, text, re.IGNORECASE))
    if (message := next(found, None)) is None:
        return Failure(Fault.OTHER, f"certbot failed: {last}")
    told = message.format(
        server=settings.acme_server,
        directory=settings.acme_directory,
        last=last,
        cloudflare=last.partition("API: ")[2] or last,
        clock=format_time(now),
    )
    return Failure(Fault.OTHER, told, _find_retry(text, now))


def _find_said(run: "Run", text: str) -> _Said | None:
    """Return the error that ended a run, of a challenge or of a request."""
    # What certbot sums up about challenges: "Domain: …\n  Type:   dns\n  Detail: …".
    if challenges := re.findall(r"^\s*Type:\s+(\w+)\s+Detail:\s+(.+)$", run.output, re.MULTILINE):
        return _Said(challenges[-1][0], shorten(challenges[-1][1]))
    # What the client raised: "urn:ietf:params:acme:error:rateLimited :: description :: detail".
    raised = re.findall(r"acme\.messages\.Error: urn:ietf:params:acme:error:(\w+) :: (.*)", text)
    if raised:
        return _Said(raised[-1][0], shorten(raised[-1][1].rpartition(" :: ")[2]))
    return None


def _find_retry(text: str, now: float) -> float | None:
    """Return when the last refusal said to come back. Source: RFC 9110, 10.2.3."""
    refusals = re.findall(r"HTTP (?:4\d\d|503)\n((?:[\w-]+: .*\n)*)", text)
    header = re.search(r"^Retry-After: (.+)$", refusals[-1], re.MULTILINE) if refusals else None
    if header:
        value = header[1].strip()
        if value.isdigit():
            return now + int(value)
        if parsed := email.utils.parsedate(value):
            return float(timegm(parsed))
    # Let's Encrypt's own words.
    words = re.findall(r"retry after (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC", text)
    return float(timegm(time.strptime(words[-1], "%Y-%m-%d %H:%M:%S"))) if words else None


def _last_line(output: str) -> str:
    """Return what certbot said last, without where it asks for help."""
    lines = [line.strip() for line in output.splitlines()]
    kept = [line for line in lines if line and not re.match(r"Ask for help|See the logfile", line)]
    return shorten(kept[-1]) if kept else "it said nothing"


def shorten(text: str) -> str:
    """Return what somebody said in one line that can be read."""
    text = re.sub(r"/\.well-known/acme-challenge/[\w-]+", "/…", " ".join(text.split())).rstrip(".")
    return text if len(text) <= _SAID_AT_MOST else f"{text[:_SAID_AT_MOST]}…"
