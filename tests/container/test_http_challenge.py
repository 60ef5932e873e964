"""Certificates without any DNS interface: the authority asks each name, and nginx answers."""

import json
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from cryptography import x509

from .appliances import until
from .conftest import Boot
from .internet import Domain, Internet
from .internet.appliance import InternetAppliance
from .internet.clock import Clock


class HttpAppliance(InternetAppliance):
    """A server whose names are known to lead to it before it starts."""

    def __init__(self, internet: Internet, domain: Domain | None = None, **options: Any) -> None:
        super().__init__(internet, domain, **options)
        self.fixed_address = choose_address(internet)
        api = internet.container.client.api
        endpoint = api.create_endpoint_config(ipv4_address=self.fixed_address)
        self._kwargs["networking_config"] = {internet.network.name: endpoint}
        self.with_variables(MATRIX_ACME_CHALLENGE="http", MATRIX_CLOUDFLARE_API_TOKEN="")
        self.expect(r"WARNING reachability: ", "some of its names do not lead here")

    def lead_here(self, *names: str) -> None:
        for name in names:
            self.domain.add_record("A", name, self.fixed_address)

    def see_at_home(self, address: str, *names: str) -> None:
        """Let its own network find these names at another address than the world."""
        hosts = {f"{name}.{self.DOMAIN}": address for name in names}
        self._kwargs["extra_hosts"] = hosts

    def names(self) -> set[str]:
        """Return the first words of the names in the certificate that is served."""
        extensions = self.certificate().extensions
        held = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names = held.get_values_for_type(x509.DNSName)
        return {name.removesuffix(self.DOMAIN).rstrip(".") or "@" for name in names}

    def look_now(self) -> None:
        """Have the certificates looked at, as the agent does every minute."""
        # One that is at work has looked already, and is not started again.
        until(lambda: self.program("certificates").state == "exited", "the look before has ended")
        self.supervisor("start", "appliance:certificates")

    def told(self) -> str:
        """Return what the owner is told of the certificate when each server has it."""
        shown: dict[str, Any] = {}

        def all_have_it() -> bool:  # nginx first, then coturn
            text = self.run("sh", "-c", "appliance certificate show --json || true")
            shown.update(json.loads(text))
            return all(one["published"] for one in shown["served"])

        until(all_have_it, "every server has the certificate")
        return "; ".join(shown["problems"])


REMEDY = "Give it this machine's address in the DNS, or leave it out of MATRIX_ACME_NAMES"
_taken: list[str] = []


def choose_address(internet: Internet) -> str:
    """Return an address at the end of the network, where Docker itself gives none so soon."""
    internet.network.reload()
    (pool,) = internet.network.attrs["IPAM"]["Config"]
    address = str(ip_network(pool["Subnet"])[-2 - len(_taken) % 8])
    _taken.append(address)
    return address


def test_one_certificate_of_the_names_that_lead_here_and_the_others_later(
    boot: Boot, internet: Internet, tmp_path: Path
) -> None:
    clock = Clock(internet, tmp_path)
    appliance = HttpAppliance(internet)
    clock.give_to(appliance)
    appliance.lead_here("matrix", "chat")
    elsewhere = [appliance.domain.add_record("A", name, internet.address) for name in ("turn", "@")]
    appliance.expect(r"(turn|synapse)\.\S+ is not in the certificate", "they do not lead here")
    boot(appliance)
    appliance.wait_for_certificate()
    assert appliance.names() == {"matrix", "chat"}
    assert appliance.told() == (
        f"turn.{appliance.DOMAIN} is not in the certificate: it leads elsewhere "
        f"({internet.address}: another server). {REMEDY}; synapse.{appliance.DOMAIN} is not in the "
        f"certificate: it has no address in DNS. {REMEDY}"
    ), "nobody misses the bare domain"

    orders = len(internet.lets_encrypt.calls("newOrder"))
    for record in elsewhere:
        appliance.domain.remove_record(record)
    appliance.lead_here("turn", "synapse", "@")
    clock.set(hours=2)
    appliance.look_now()
    until(lambda: appliance.names() > {"matrix", "chat"}, "the others are in it too")
    assert appliance.names() == {"matrix", "chat", "turn", "synapse", "@"}
    assert appliance.told() == ""
    assert len(internet.lets_encrypt.calls("newOrder")) == orders + 1

    chat = next(one for one in appliance.domain.records("A") if one.name.startswith("chat."))
    appliance.domain.remove_record(chat.id)
    clock.set(hours=26)
    appliance.expect(r"chat\.\S+ (has no address|is not in the)", "the record was removed")
    appliance.look_now()
    until(lambda: "it cannot be in the next certificate" in appliance.told(), "the owner is told")
    assert "chat" in appliance.names(), "it stays while it is good"
    assert len(internet.lets_encrypt.calls("newOrder")) == orders + 1

    # All of Synapse's jobs are due at once, and it tries again.
    appliance.expect(r"could not serialize access", "the clock jumped")
    clock.set(hours=50)
    with internet.lets_encrypt.suggest_renewal():
        appliance.look_now()
        until(lambda: "chat" not in appliance.names(), "the renewed one is without it")
    assert appliance.names() == {"matrix", "turn", "synapse", "@"}
    assert appliance.told().startswith(
        f"chat.{appliance.DOMAIN} is not in the certificate: the authority did not find this "
        f'machine there (Get "http://chat.{appliance.DOMAIN}:80/…": could not resolve URL'
    )
    assert "; " not in appliance.told(), "nothing is said twice"


def test_what_cannot_be_told_from_inside_is_for_the_authority_to_judge(
    boot: Boot, internet: Internet
) -> None:
    """A router that does not let its own network in again by its public address."""
    appliance = HttpAppliance(internet)
    appliance.lead_here("matrix", "chat")
    appliance.domain.add_record("A", "turn", internet.address)
    appliance.see_at_home(internet.address, "matrix", "chat", "turn")
    appliance.expect(r"(turn|synapse)\.\S+ is not in the certificate", "they do not lead here")
    boot(appliance)
    appliance.wait_for_certificate()
    assert appliance.names() == {"matrix", "chat"}
    told = f"turn.{appliance.DOMAIN} is not in the certificate: the authority did not find this"
    assert told in appliance.told()
    refused = internet.lets_encrypt.calls("challenge")
    appliance.shut_down()
    appliance.boot()
    appliance.look_now()
    assert len(internet.lets_encrypt.calls("challenge")) == len(refused), "not asked for again"


def test_where_no_name_leads_here_one_line_says_so_until_one_does(
    boot: Boot, internet: Internet, tmp_path: Path
) -> None:
    clock = Clock(internet, tmp_path)
    appliance = HttpAppliance(internet)
    clock.give_to(appliance)
    appliance.expect(r"no name leads to this machine", "there is none")
    orders = len(internet.lets_encrypt.calls("newOrder"))
    boot(appliance)
    until(lambda: "no name leads to this machine" in appliance.told(), "the owner is told")
    assert f"matrix.{appliance.DOMAIN} has no address in DNS" in appliance.told()
    assert appliance.logs().count("give them its public address in the DNS") <= 2
    assert len(internet.lets_encrypt.calls("newOrder")) == orders, "the authority is left alone"

    appliance.lead_here("matrix", "chat", "turn", "synapse", "@")
    clock.set(hours=1)
    appliance.look_now()
    appliance.wait_for_certificate()


def test_port_80_that_nobody_leads_here_is_told(boot: Boot, internet: Internet) -> None:
    appliance = HttpAppliance(internet).with_variables(MATRIX_HTTP_PORT="8080")
    appliance.lead_here("matrix", "chat", "turn", "synapse")
    appliance.expect(r"did not find this machine|no name leads", "port 80 is closed")
    boot(appliance)
    until(lambda: "the only one that it asks" in appliance.told(), "the owner is told")
    assert "to this machine's port 8080" in appliance.told()
