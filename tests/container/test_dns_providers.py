"""Certificates through lego, for every DNS provider beside Cloudflare."""

import json
from collections.abc import Iterator

import docker
import pytest
from cryptography import x509

from appliance.settings import dns_provider

from .appliances import Appliance, until
from .conftest import Boot
from .internet import Domain, Internet
from .internet.appliance import InternetAppliance
from .internet.name_server import NameServer, run_name_server
from .test_hardening import CAPABILITIES
from .volumes import run_beside

_ASK = """
cd /opt/appliance/lib/python3*/site-packages/certbot_dns_multi/_internal/bridge
grep -o 'lego/v[0-9]* v[0-9.]*' go.mod
python - <<'PYTHON'
import json, lego_bridge
for provider in {providers}:
    request = {{"action": "configure", "provider": provider, "credentials": {{}}}}
    print(json.loads(lego_bridge.cmd(json.dumps(request))).get("error", "configured"))
PYTHON
"""


def test_lego_is_unpacked_where_nothing_can_be_written_or_run(
    docker_client: docker.DockerClient,
) -> None:
    table = json.loads(dns_provider.TABLE.read_text())
    script = _ASK.format(providers=["duckdns", "dnsupdate", "rfc2136", "nonesuch"])
    version, *answers = run_beside(
        docker_client,
        script,
        read_only=True,
        tmpfs={"/run": "", "/tmp": ""},  # Docker's default is that nothing there may be run
        cap_drop=["ALL"],
        cap_add=CAPABILITIES,
        security_opt=["no-new-privileges"],
    ).splitlines()
    assert version.endswith(f" v{table['version']}")
    assert answers == [
        "duckdns: some credentials information are missing: DUCKDNS_TOKEN",
        "dnsupdate: some credentials information are missing: DNSUPDATE_NAMESERVER",
        "dnsupdate: some credentials information are missing: DNSUPDATE_NAMESERVER",
        "unrecognized DNS provider: nonesuch",
    ]


# How many proofs a zone holds.
_LOOK_UP = """
import socket
name = b"".join(bytes([len(one)]) + one.encode() for one in "_acme-challenge.{host}".split("."))
question = bytes.fromhex("000101000001000000000000") + name + bytes.fromhex("0000100001")
connection = socket.socket(type=socket.SOCK_DGRAM)
connection.settimeout(5)
connection.sendto(question, (socket.gethostbyname("ns.world.test"), 53))
print(int.from_bytes(connection.recv(4096)[6:8], "big"))
"""


class ProviderAppliance(InternetAppliance):
    """A server whose DNS is at a provider that lego knows."""

    def __init__(self, internet: Internet, domain: Domain, provider: str, **variables: str) -> None:
        super().__init__(internet, domain)
        credentials = "\n".join(f"{name}={value}" for name, value in variables.items())
        self.with_variables(
            MATRIX_ACME_CHALLENGE="dns-multi",
            MATRIX_ACME_DNS_PROVIDER=provider,
            MATRIX_ACME_DNS_CREDENTIALS=credentials,
            MATRIX_CLOUDFLARE_API_TOKEN="",
        )

    def names(self) -> list[str]:
        extensions = self.certificate().extensions
        held = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return sorted(held.get_values_for_type(x509.DNSName))


def problems(appliance: Appliance) -> str:
    shown = appliance.run("sh", "-c", "appliance certificate show --json || true")
    return "; ".join(json.loads(shown)["problems"])


def find_secret(appliance: Appliance, secret: str) -> list[str]:
    """Return where anybody could see a secret: logs, command lines, files, but not the settings."""
    files = f"grep -rlF -- '{secret}' /run /data /tmp 2> /dev/null || true"
    found = appliance.run("sh", "-c", files).split()
    seen = [path for path in found if path != "/run/appliance/settings.json"]
    processes = appliance.look_at_processes("cat /proc/[0-9]*/cmdline 2> /dev/null || true")
    return seen + ["argv"] * (secret in processes) + ["log"] * (secret in appliance.logs())


@pytest.fixture(scope="module")
def name_server(internet: Internet) -> Iterator[NameServer]:
    with run_name_server(internet) as server:
        yield server


def variables(server: NameServer, secret: str) -> dict[str, str]:
    return {
        "DNSUPDATE_NAMESERVER": server.address,
        "DNSUPDATE_TSIG_KEY": server.key,
        "DNSUPDATE_TSIG_ALGORITHM": "hmac-sha256.",
        "DNSUPDATE_TSIG_SECRET": secret,
    }


def test_a_name_server_of_ones_own_takes_the_proofs(
    boot: Boot, internet: Internet, name_server: NameServer
) -> None:
    domain = Domain(internet, name_server.zone, "")
    given = variables(name_server, name_server.secret)
    appliance = ProviderAppliance(internet, domain, "rfc2136", **given)
    boot(appliance.with_variables(MATRIX_SERVER_NAME=domain.name))
    appliance.wait_for_certificate()
    hosts = [f"{name}.{domain.name}" for name in ("chat", "matrix", "synapse", "turn")]
    assert appliance.names() == sorted([domain.name, *hosts])
    assert find_secret(appliance, name_server.secret) == []
    for host in (domain.name, *hosts):
        proofs = internet.run_client("python3", "-c", _LOOK_UP.format(host=host))
        assert proofs.strip() == "0", "the proofs are taken away"


def test_a_wrong_secret_is_told_in_one_line(
    boot: Boot, internet: Internet, name_server: NameServer
) -> None:
    wrong = f"AAAA{name_server.secret[4:]}"
    domain = Domain(internet, name_server.zone, "")
    appliance = ProviderAppliance(internet, domain, "rfc2136", **variables(name_server, wrong))
    appliance.expect(r"rfc2136 does not take the record", "the secret is wrong")
    boot(appliance)
    until(lambda: "rfc2136 does not take the record" in problems(appliance), "the owner is told")
    assert "bad authentication): see MATRIX_ACME_DNS_CREDENTIALS" in problems(appliance)
    assert find_secret(appliance, wrong) == []


def test_a_free_name_at_duckdns_gets_its_wildcard(boot: Boot, internet: Internet) -> None:
    duck = internet.new_duck()
    appliance = ProviderAppliance(internet, duck, "duckdns", DUCKDNS_TOKEN=duck.token)
    boot(appliance)
    appliance.wait_for_certificate()
    assert appliance.names() == [f"*.{duck.name}"]
    for name in ("matrix", "chat"):
        assert appliance.site(name).fetch_certificate()
    assert duck.records("TXT") == []
    bare = appliance.plain_site("matrix").get("/", Host=duck.name)
    assert (bare.status, bare.headers["Location"]) == (302, f"https://matrix.{duck.name}/")


def test_a_token_that_duckdns_refuses_is_not_shown(boot: Boot, internet: Internet) -> None:
    duck, wrong = internet.new_duck(), "not-a-token-of-this/duck"
    appliance = ProviderAppliance(internet, duck, "duckdns", DUCKDNS_TOKEN=wrong)
    appliance.expect(r"duckdns does not take the record", "the token is wrong")
    boot(appliance)
    until(lambda: "duckdns does not take the record" in problems(appliance), "the owner is told")
    assert "(KO)" in problems(appliance)
    assert "token=…" in problems(appliance)
    assert find_secret(appliance, wrong) == find_secret(appliance, "not-a-token-of-this%2Fduck")
    assert find_secret(appliance, wrong) == []
