"""A server of the README on the internet: what one token makes of an empty zone, seen from outside.

Only three variables are set; whoever asks finds it by DNS and trusts the authority, no more.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from .appliances import Appliance, until
from .browser import JAVASCRIPT, install_client
from .http_client import PASSWORD
from .internet import Internet
from .internet.appliance import InternetAppliance

PORTS = (443, 8448)
_ROOT = "/tmp/root.pem"
# Everything but which old browsers would get in, which is no finding.
_SCAN = f"""
for port in "$@"; do
    testssl --quiet --color 0 --add-ca {_ROOT} --jsonfile /tmp/$port.json \\
        -p -s -f -P -S -h -U "$HOST:$port" >&2 &
done
wait
cat /tmp/*.json | sed 's/^\\]$/,/; s/^\\[$//; $ s/,$/]/; 1 s/^/[/'
"""
# Of the scanner and its machine, not of the server.
_NOT_OURS = {
    "engine_problem": "its OpenSSL has no GOST",
    "sessionresumption_ticket": "it breaks off on a busy machine; test_tls.py resumes sessions",
}
_NO_FINDING = {"OK", "INFO", "LOW"}


@pytest.fixture(scope="module")
def server(internet: Internet, shared: list[Appliance]) -> Iterator[InternetAppliance]:
    appliance = InternetAppliance(internet).with_variables(
        MATRIX_ACME_PROPAGATION="", MATRIX_BRIDGES=""
    )
    with appliance:
        shared.append(appliance)
        appliance.wait_for_certificate()
        until(lambda: internet.look_up(appliance.matrix.host), "the zone has the server's name")
        yield appliance
        shared.remove(appliance)
        assert appliance.unexpected_lines() == []


def test_one_token_is_enough_for_a_log_in(server: InternetAppliance, internet: Internet) -> None:
    install_client()
    server.command("user", "add", "alice", "--password-stdin", standard_input=PASSWORD)
    user = f"@alice:{server.server_name}"
    printed = internet.run_client(
        *("node", "/js/log_in.js", user, PASSWORD),
        files={_ROOT: server.ca_certificate},
        folders={"/js": JAVASCRIPT},
        environment={"NODE_EXTRA_CA_CERTS": _ROOT},
    )
    assert json.loads(printed.splitlines()[-1]) == {
        "baseUrl": f"https://matrix.{server.DOMAIN}",
        "userId": user,
        "said": "hello",
    }
    assert internet.calls("dns", f"^A matrix.{server.DOMAIN}$"), "found by DNS"


@pytest.fixture(scope="module")
def findings(server: InternetAppliance, internet: Internet) -> dict[int, list[dict[str, Any]]]:
    """What testssl.sh finds, by the port."""
    printed = internet.run_client(
        *("sh", "-euc", _SCAN, "sh", *map(str, PORTS)),
        files={_ROOT: server.ca_certificate},
        environment={"HOST": server.matrix.host},
    )
    rows = json.loads(printed)
    return {port: [row for row in rows if row["port"] == str(port)] for port in PORTS}


@pytest.mark.slow
@pytest.mark.parametrize("port", PORTS)
def test_scanner_finds_nothing_above_low(
    server: InternetAppliance,
    findings: dict[int, list[dict[str, Any]]],
    port: int,
    record_property: Callable[[str, object], None],
) -> None:
    server.expect(r"while SSL handshaking", "the scanner sends what no browser does")
    rows = findings[port]
    (grade,) = (row["finding"] for row in rows if row["id"] == "overall_grade")
    record_property("grade", grade)
    print(f"testssl.sh at port {port}: {len(rows)} rows, grade {grade}")
    complaints = [
        f"{row['severity']} {row['id']}: {row['finding']}"
        for row in rows
        if row["severity"] not in _NO_FINDING and row["id"] not in _NOT_OURS
    ]
    assert complaints == []
    assert grade in ("A", "A+")
