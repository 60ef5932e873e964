"""What certbot 5.8 really printed and logged, cut down to the lines around the cause."""

import pytest

from appliance import settings
from appliance.certificates.acme.certbot import Run
from appliance.certificates.acme.failures import Failure, Fault, explain

NOW = 1_900_000_000.0
GIVEN = {
    "MATRIX_DOMAIN": "example.org",
    "MATRIX_ACME_EMAIL": "owner@example.org",
    "MATRIX_CLOUDFLARE_API_TOKEN": "a-token",
}
FAREWELL = (
    "Ask for help or search for solutions at https://community.letsencrypt.org. See the logfile "
    "/run/certbot/logs/letsencrypt.log or re-run Certbot with -v for more details.\n"
)


def failure(log: str = "", output: str = "", *, in_time: bool = True, **given: str) -> Failure:
    loaded = settings.load({**GIVEN, **given})
    return explain(Run(1, output + FAREWELL, log, in_time), loaded, NOW)


def raised(kind: str, detail: str, *, status: int = 400, headers: str = "") -> str:
    """Return the log of a request that the authority refused."""
    return (
        "2026-11-24 13:24:51,628:DEBUG:acme.client:Received response:\nHTTP 200\n"
        "Retry-After: 21600\n\n{}\n"
        f"2026-11-24 13:24:51,828:DEBUG:acme.client:Received response:\nHTTP {status}\n"
        f"Content-Type: application/problem+json\n{headers}\n"
        f'{{"type": "urn:ietf:params:acme:error:{kind}", "detail": "{detail}"}}\n'
        "Traceback (most recent call last):\n"
        f"acme.messages.Error: urn:ietf:params:acme:error:{kind} :: What it means :: {detail}\n"
        f"2026-11-24 13:24:51,831:ERROR:certbot._internal.log:{detail}\n"
    )


@pytest.mark.parametrize(
    ("kind", "detail", "said"),
    [
        ("rateLimited", "too many", "letsencrypt was asked too often for now (too many)"),
        ("caa", "CAA forbids", "a CAA record in the DNS forbids letsencrypt to issue"),
        ("rejectedIdentifier", "forbidden by policy", "see MATRIX_ACME_NAMES"),
        ("invalidContact", "no MX", "MATRIX_ACME_EMAIL: letsencrypt does not accept"),
        ("externalAccountRequired", "EAB", "give MATRIX_ACME_EAB_KID and MATRIX_ACME_EAB_HMAC_KEY"),
        ("serverInternal", "boom", "letsencrypt is out of order (boom)"),
        ("userActionRequired", "new terms", "wants you to do something first (new terms)"),
        ("somethingNew", "who knows", "letsencrypt refuses: who knows (somethingNew)"),
    ],
)
def test_a_refusal_of_the_authority_says_what_to_do(kind: str, detail: str, said: str) -> None:
    assert said in failure(raised(kind, detail)).message


def test_a_wrong_account_binding_is_told_by_its_variable() -> None:
    given = {"MATRIX_ACME_EAB_KID": "kid", "MATRIX_ACME_EAB_HMAC_KEY": "bm90IHRoZSBrZXk"}
    log = raised("malformed", "external account binding is not known")
    assert failure(log, **given).message.startswith("MATRIX_ACME_EAB_KID: ")
    assert "EAB" not in failure(log).message


def test_an_unknown_account_can_be_made_again() -> None:
    log = raised("accountDoesNotExist", "unable to find existing account")
    assert failure(log).fault is Fault.UNKNOWN_ACCOUNT


def test_a_record_that_was_not_seen_is_told_apart() -> None:
    output = (
        "\nCertbot failed to authenticate some domains (authenticator: dns-cloudflare). The "
        "Certificate Authority reported these problems:\n"
        "  Domain: example.org\n"
        "  Type:   unauthorized\n"
        "  Detail: No TXT record found at _acme-challenge.example.org\n\n"
        "Hint: The Certificate Authority failed to verify the DNS TXT records.\n\n"
        "Some challenges have failed.\n"
    )
    told = failure(output=output)
    assert told.fault is Fault.RECORD_NOT_FOUND
    assert "No TXT record found at _acme-challenge.example.org" in told.message
    assert "raise MATRIX_ACME_PROPAGATION" in told.message
    assert "CAA record" in failure(output=output.replace("unauthorized", "caa")).message


@pytest.mark.parametrize(
    ("headers", "retry_at"),
    [
        ("Retry-After: 7200\n", NOW + 7200),
        ("Retry-After: Sun, 17 Mar 2030 18:46:40 GMT\n", NOW + 3600),
        ("Retry-After: in a while\n", NOW + 3600),
        ("", NOW + 3600),
    ],
)
def test_the_authority_says_when_to_come_back(headers: str, retry_at: float) -> None:
    log = raised("rateLimited", "too many", status=429, headers=headers)
    assert failure(log).retry_at == retry_at


def test_lets_encrypt_says_it_in_words() -> None:
    detail = (
        "too many certificates (5) already issued for this exact set of domains in the last "
        "168h0m0s, retry after 2030-03-20 17:46:40 UTC: see https://letsencrypt.org/docs/"
    )
    assert failure(raised("rateLimited", detail, status=429)).retry_at == NOW + 3 * 86400


def test_an_answer_that_went_well_says_nothing_about_coming_back() -> None:
    assert failure(raised("serverInternal", "boom", status=500)).retry_at is None


def connection(cause: str) -> str:
    return (
        "requests.exceptions.ConnectionError: HTTPSConnectionPool(host="
        f"'acme-v02.api.letsencrypt.org', port=443): Max retries exceeded with url: /directory "
        f"(Caused by {cause})\n"
    )


@pytest.mark.parametrize(
    ("output", "said"),
    [
        (
            connection('NameResolutionError("Failed to resolve (Name or service not known)")'),
            "directory has no address for this machine",
        ),
        (
            connection("NewConnectionError('[Errno 111] Connection refused')"),
            "directory cannot be reached",
        ),
        (connection("ConnectTimeoutError('timed out')"), "directory cannot be reached"),
        (
            connection(
                "SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] "
                "certificate verify failed: unable to get local issuer certificate'))"
            ),
            "MATRIX_ACME_CA_BUNDLE",
        ),
        (
            connection(
                "SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] "
                "certificate verify failed: certificate is not yet valid'))"
            ),
            "which says 17 March 2030, 17:46 UTC: set the clock",
        ),
        ("[Errno 28] No space left on device: '/data/certificates/acme'\n", "the disk is full"),
        (
            "Server requires external account binding. Please use --eab-kid and --eab-hmac-key.\n",
            "give MATRIX_ACME_EAB_KID",
        ),
        (
            "Error communicating with the Cloudflare API: Error code: 500\n",
            "Cloudflare did not take the record (Error code: 500)",
        ),
        ("acme.errors.ClientError: <Response [503]>\n", "certbot failed: acme.errors"),
        ("Something that nobody knows\n", "certbot failed: Something that nobody knows"),
        ("", "certbot failed: it said nothing"),
    ],
)
def test_what_the_authority_never_heard_of_is_told_too(output: str, said: str) -> None:
    assert said in failure(output=output).message


def test_a_server_without_a_sensible_answer_is_out_of_order() -> None:
    log = "Received response:\nHTTP 503\nContent-Type: text/html\n\n<html>\n"
    assert "letsencrypt is out of order" in failure(log, "<Response [503]>\n").message


def test_a_run_that_took_too_long_says_so() -> None:
    assert "did not answer in time" in failure(in_time=False).message
