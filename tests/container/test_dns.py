"""Names and addresses of a server at home: records made, followed and left alone."""

import re

import pytest

from .appliances import until
from .conftest import Boot
from .internet import Domain, Internet
from .internet.appliance import InternetAppliance

NAMES = ("chat", "matrix", "synapse", "turn")
ELSEWHERE, MOVED, SHARED = "9.9.9.9", "8.8.4.4", "100.70.1.2"
CERTBOT = r"certificates\s+\|"

_ASK_COTURN = """
import sys
from appliance.endpoint import Endpoint
from appliance.public_address import stun
print(stun.ask(Endpoint(sys.argv[1], 3478), 4))
"""


@pytest.fixture
def domain(internet: Internet) -> Domain:
    return internet.new_domain()


def addresses(domain: Domain) -> dict[str, str]:
    """Return the content of the zone's A records by the first word of their name."""
    return {
        record.name.removesuffix(f".{domain.name}"): record.content
        for record in domain.records("A")
    }


def test_an_empty_zone_becomes_complete(internet: Internet, domain: Domain, boot: Boot) -> None:
    """With the three variables of the README and nothing else."""
    appliance = InternetAppliance(internet, domain)
    boot(appliance)
    expected = dict.fromkeys(NAMES, appliance.address)
    until(lambda: addresses(domain) == expected, "the zone is complete", 120)
    assert internet.look_up(f"matrix.{domain.name}") == [appliance.address]
    until(lambda: appliance.found("dns").get("ok"), "the job is content")
    assert not any(record.proxied for record in domain.records("A"))
    assert all("matrix-appliance" in (record.comment or "") for record in domain.records("A"))
    assert domain.records("AAAA") == [], "it has no address of that family"
    status = appliance.command("status")
    assert re.search(rf"public-address +ready +{appliance.address} \(stun\.", status)
    assert re.search(r"dns +ready +4 records as they should be", status)
    names = ", ".join(f"{name}.{domain.name}" for name in ("matrix", "chat", "synapse", "turn"))
    said = f"{names}: leads here by {appliance.address}"
    until(lambda: appliance.found("reachability").get("detail") == said, "names are visited", 120)
    assert domain.token not in appliance.logs()
    # The relay is a STUN server too, the one that most homes have: it is understood.
    seen = appliance.run("python", "-c", _ASK_COTURN, appliance.address)
    assert seen.strip() == appliance.address
    by_hand = appliance.run("env", "MATRIX_CLOUDFLARE_DNS=off", "appliance", "dns", "plan")
    assert "by hand" in by_hand
    assert re.search(rf"turn\.{domain.name} +A +{appliance.address}\n", by_hand + "\n")


def test_records_follow_the_address_and_others_are_left_alone(
    internet: Internet, domain: Domain, boot: Boot
) -> None:
    domain.add_record("CNAME", "chat", "host.example.com")
    domain.add_record("A", "synapse", ELSEWHERE, proxied=True)
    before = {record.id: record for record in domain.records()}
    appliance = InternetAppliance(internet, domain)
    appliance.with_variables(
        MATRIX_CLOUDFLARE_DNS="manage",
        MATRIX_CLOUDFLARE_DNS_PROXIED="yes",
        MATRIX_CLOUDFLARE_DNS_APEX="yes",
        MATRIX_PUBLIC_IP_INTERVAL="10s",
        MATRIX_TRUSTED_PROXIES="cloudflare",
    )
    appliance.expect(
        r"agent +\| WARNING (public-address|dns|reachability): ", "its address is taken away"
    )
    appliance.expect(r"WARN exited: livekit ", "it takes a new address by starting again")
    boot(appliance)
    ours = ("@", "matrix", "turn")

    def are_at(address: str) -> bool:
        there = {name.replace(domain.name, "@"): at for name, at in addresses(domain).items()}
        return there == {**dict.fromkeys(ours, address), "synapse": ELSEWHERE}

    until(lambda: are_at(appliance.address), "what was missing is made", 120)
    proxied = {record.name for record in domain.records("A") if record.proxied}
    assert proxied == {domain.name, f"matrix.{domain.name}", f"synapse.{domain.name}"}

    until(lambda: appliance.found("reachability").get("ok") is False, "names are visited", 120)
    told = status(appliance)
    assert f"chat.{domain.name}: does not lead here (has no address in the DNS" in told
    assert f"it needs A {appliance.address}" in told
    assert "goes through Cloudflare's proxy, which does not come through" in told

    appliance.be_seen_as(MOVED)
    plan = until(lambda: planned(appliance, MOVED), "the new address is known")
    assert re.search(rf"turn\.\S+ +A +(\S+) +{MOVED} +(change|nothing)", plan)
    assert re.search(r"chat\.\S+ +CNAME +host\.example\.com +\S+ +keep +not made by", plan)
    until(lambda: are_at(MOVED), "the records follow")

    appliance.be_seen_as(SHARED)
    until(lambda: SHARED in status(appliance), "the next address is known")
    until(lambda: "turn." in status(appliance), "the records are told")
    told = status(appliance)
    assert "carrier-grade NAT" in told
    assert are_at(MOVED), "an address that leads nowhere is not written"

    appliance.be_seen_as("")
    until(lambda: "no STUN server said" in status(appliance), "silence is told")
    assert are_at(MOVED)
    assert {record.id: record for record in domain.records() if record.id in before} == before


def planned(appliance: InternetAppliance, address: str) -> str:
    """Return what `appliance dns plan` prints once it has an address, else nothing."""
    text = appliance.command("dns", "plan")
    return text if address in text else ""


def status(appliance: InternetAppliance) -> str:
    return str(appliance.command("status"))
