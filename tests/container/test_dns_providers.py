"""Certificates through lego, for every DNS provider beside Cloudflare."""

import json

import docker

from appliance.settings import dns_provider

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
