"""Names and addresses of a server at home: records made, followed and left alone."""

import json
import re
from typing import Any

import pytest

from .appliances import until
from .conftest import Boot
from .internet import Domain, Internet
from .internet.appliance import InternetAppliance

NAMES = ("chat", "matrix", "synapse", "turn")
ELSEWHERE, MOVED, SHARED = "9.9.9.9", "8.8.4.4", "100.70.1.2"
CERTBOT = r"certificates\s+\|"


@pytest.fixture
def domain(internet: Internet) -> Domain:
    return internet.new_domain()


def found(appliance: InternetAppliance, job: str) -> dict[str, Any]:
    """Return what a job of the agent found last, {} if it has not run."""
    state = json.loads(appliance.run("cat", "/run/agent/state.json"))
    return dict(state["jobs"].get(job, {}))


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
    until(lambda: addresses(domain) == expected, "the zone is complete")
    assert internet.look_up(f"matrix.{domain.name}") == [appliance.address]
    until(lambda: found(appliance, "dns").get("ok"), "the job is content")
    assert not any(record.proxied for record in domain.records("A"))
    assert all("matrix-appliance" in (record.comment or "") for record in domain.records("A"))
    assert domain.records("AAAA") == [], "it has no address of that family"
    status = appliance.command("status")
    assert re.search(rf"public-address +ready +{appliance.address} \(stun\.", status)
    assert re.search(r"dns +ready +4 records as they should be", status)
    assert domain.token not in appliance.logs()
