"""What certbot's plugin logs although it ends well."""

from appliance.certificates.acme.certbot import Run
from appliance.certificates.acme.dns_cloudflare import find_leftovers

LOG = (
    "2026-11-24 13:50:12,004:WARNING:certbot_dns_cloudflare._internal.dns_cloudflare:"
    "Encountered Cloudflare API error deleting TXT record: Error code: 500\n"
)


def test_a_record_that_stays_in_the_dns_is_told() -> None:
    (said,) = find_leftovers(Run(0, "", LOG))
    assert "remove the TXT records named _acme-challenge" in said


def test_nothing_is_told_where_all_is_tidy() -> None:
    assert find_leftovers(Run(0, "", LOG.replace("deleting", "adding"))) == ()
