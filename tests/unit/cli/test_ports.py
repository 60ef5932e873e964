import json

import pytest
from click.testing import CliRunner

from appliance.cli.commands import appliance

REAL = {"MATRIX_DOMAIN": "home.lan", "MATRIX_TLS_MODE": "self-signed"}


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MATRIX_DOMAIN", "MATRIX_TLS_MODE"):
        monkeypatch.delenv(name, raising=False)


def run(*options: str, **variables: str) -> str:
    result = CliRunner().invoke(appliance, ["ports", *options], env=variables)
    assert result.exit_code == 0, result.output
    return result.output


def test_every_port_is_there_with_what_it_is_for_and_the_lines_of_both_firewalls() -> None:
    told = run(**REAL, MATRIX_TURN_RELAY_LAST_PORT="49170")
    assert "443/tcp          clients and other servers\n" in told
    assert "49160-49170/udp  relayed calls\n" in told
    assert "  ufw allow 443/tcp\n" in told
    assert "  ufw allow 49160:49170/udp\n" in told
    assert " --add-port=443/tcp " in told
    assert " --add-port=49160-49170/udp" in told


def test_a_deployment_without_calls_needs_no_port_for_them() -> None:
    rows = json.loads(run("--json", **REAL, MATRIX_TURN="no", MATRIX_FEDERATION="off"))
    assert [row["first"] for row in rows if row["protocol"] == "tcp"] == [80, 443]


def test_on_loopback_there_is_none() -> None:
    told = run(**REAL, MATRIX_LISTEN="127.0.0.1")
    assert told.startswith("No port has to be reachable")
