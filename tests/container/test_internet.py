"""The internet of the tests itself: what it answers is what the real one does.

certbot of the image under test is driven by hand here, so that a failure of the appliance's own
tests is known not to be the world's.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import docker
import pytest

from .internet import CLOUDFLARE, Call, Domain, Internet
from .volumes import IMAGE, Volume

_CERTBOT = """
umask 077
printf 'dns_cloudflare_api_token=%s\\n' "$TOKEN" > /tmp/cloudflare.ini
exec certbot "$@" 2>&1
"""


@dataclass
class Certbot:
    """certbot of the image under test, with its files in a volume."""

    client: docker.DockerClient
    internet: Internet
    domain: Domain
    data: Volume

    def issue(self, *options: str) -> tuple[int, str]:
        """Ask for a certificate of the domain and all below; return status and output."""
        return self.run(
            *("certonly", "-n", "--agree-tos", "-m", f"owner@{self.domain.name}"),
            *("--dns-cloudflare", "--dns-cloudflare-credentials", "/tmp/cloudflare.ini"),
            *("--dns-cloudflare-propagation-seconds", "0"),
            *("-d", self.domain.name, "-d", f"*.{self.domain.name}", *options),
        )

    def run(self, *arguments: str) -> tuple[int, str]:
        """Run it; return status and output."""
        container = self.client.containers.create(
            IMAGE,
            [_CERTBOT, "certbot", *arguments],
            entrypoint=["sh", "-euc"],
            network=self.internet.network.name,
            dns=[self.internet.address],
            environment={
                "REQUESTS_CA_BUNDLE": "/root.pem",
                "SSL_CERT_FILE": "/root.pem",
                "TOKEN": self.domain.token,
            },
            volumes={
                str(self.internet.trust): {"bind": "/root.pem", "mode": "ro"},
                self.data.name: {"bind": "/etc/letsencrypt", "mode": "rw"},
            },
        )
        try:
            container.start()
            status = container.wait()["StatusCode"]
            return int(status), bytes(container.logs()).decode()
        finally:
            container.remove(v=True)


@pytest.fixture
def certbot(docker_client: docker.DockerClient, internet: Internet) -> Iterator[Certbot]:
    data = Volume(docker_client)
    yield Certbot(docker_client, internet, internet.new_domain(), data)
    data.remove()


def test_certificate_is_issued_and_renewed_when_the_authority_says_so(
    certbot: Certbot, internet: Internet
) -> None:
    orders = len(internet.lets_encrypt.calls("newOrder"))
    status, said = certbot.issue()
    assert status == 0, said
    assert certbot.domain.records() == [], "the proofs are taken away"
    assert len(internet.lets_encrypt.calls("newOrder")) == orders + 1
    with internet.lets_encrypt.suggest_renewal():
        status, said = certbot.run("renew", "--no-random-sleep-on-renew")
    assert status == 0, said
    assert len(internet.lets_encrypt.calls("newOrder")) == orders + 2


def test_faults_are_those_of_the_real_ones(certbot: Certbot, internet: Internet) -> None:
    domain = certbot.domain
    domain.allow("zone:read", "dns_records:read")
    assert "10000" in fail(certbot)
    domain.allow("zone:read", "dns_records:read", "dns_records:edit")
    domain.see("another.example.net")
    assert "Unable to determine zone" in fail(certbot)
    domain.see(domain.name)
    domain.publish_after(3)
    assert "try increasing" in fail(certbot)
    domain.publish_after(0)
    wait = {"Retry-After": "3600"}
    with internet.lets_encrypt.refuse("newOrder", 429, "rateLimited", "too many", headers=wait):
        assert "too many" in fail(certbot)
    assert domain.records() == []
    status, said = certbot.issue()
    assert status == 0, said


def fail(certbot: Certbot) -> str:
    """Ask for a certificate in vain and return what was said."""
    status, said = certbot.issue()
    assert status == 1, said
    return said


def test_names_are_found_as_the_zone_has_them(internet: Internet) -> None:
    domain = internet.new_domain()
    domain.add_record("A", "@", "192.0.2.1")
    domain.add_record("AAAA", "*", "2001:db8::1")
    domain.add_record("CNAME", "chat", domain.name)
    domain.add_record("A", "shop", "192.0.2.2", proxied=True)
    assert resolve(internet, f"chat.{domain.name}") == {"192.0.2.1"}
    assert resolve(internet, f"anything.{domain.name}") == {"2001:db8::1"}
    assert resolve(internet, f"shop.{domain.name}") == {"104.16.0.1", "2606:4700::1"}
    assert resolve(internet, "nobody.example.org") == set()


_RESOLVE = """
import socket, sys
try:
    for *_, address in socket.getaddrinfo(sys.argv[1], 443, type=socket.SOCK_STREAM):
        print(address[0])
except socket.gaierror:
    pass
"""


def resolve(internet: Internet, name: str) -> set[str]:
    """Return the addresses of a name as a machine on the internet finds them."""
    return set(internet.run_client("python3", "-c", _RESOLVE, name).split())


_ASK_STUN = """
import socket, struct, sys
from ipaddress import ip_address
asked = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
asked.settimeout(5)
asked.sendto(struct.pack("!HHI12x", 1, 0, 0x2112A442), (sys.argv[1], int(sys.argv[2])))
answer = asked.recv(100)
print(ip_address(int.from_bytes(answer[28:32]) ^ 0x2112A442))
print(socket.gethostbyname(socket.gethostname()))
"""


def test_stun_servers_tell_where_somebody_comes_from(internet: Internet) -> None:
    for server, port in (("stun.l.google.com", "19302"), ("stun.nextcloud.com", "443")):
        told, own = internet.run_client("python3", "-c", _ASK_STUN, server, port).split()
        assert told == own


def test_every_call_is_written_down(internet: Internet) -> None:
    ask = "import urllib.request; print(urllib.request.urlopen('http://api.cloudflare.com/x/y'))"
    with internet.refuse("/x/y", 500, 1, "out of order", times=1), pytest.raises(AssertionError):
        internet.run_client("python3", "-c", ask)
    calls = internet.calls(CLOUDFLARE, "/x/y")
    assert calls == [Call(calls[0].time, CLOUDFLARE, "GET /x/y", 500)]
