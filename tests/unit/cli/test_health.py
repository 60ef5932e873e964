import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance import probe
from appliance.cli import health
from appliance.probe import HttpProbe


def test_all_well(
    serve_json: Callable[..., str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    well = HttpProbe(serve_json(lambda *_: (200, {})))
    file = tmp_path / "health.json"
    file.write_text(probe.to_json({"synapse": [well], "nginx": [well]}))
    assert health.report(file) == 0
    assert capsys.readouterr().out == "healthy: synapse, nginx\n"


def test_the_ill_are_named_with_the_reason(
    serve_json: Callable[..., str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    well, ill = HttpProbe(serve_json(lambda *_: (200, {}))), HttpProbe(str(tmp_path / "none"))
    file = tmp_path / "health.json"
    file.write_text(probe.to_json({"synapse": [ill], "nginx": [well]}))
    assert health.report(file) == 1
    assert capsys.readouterr().out == f"unhealthy: synapse: nobody listens on {tmp_path}/none\n"


def test_nothing_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert health.report(tmp_path / "health.json") == 1
    assert "not running" in capsys.readouterr().out


def test_it_stays_light() -> None:
    program = "import sys; from appliance.cli import main, health; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    heavy = {"click", "pydantic", "jinja2", "yaml", "psycopg", "http.client", "ssl", "asyncio"}
    assert heavy.isdisjoint(done.stdout.split())
