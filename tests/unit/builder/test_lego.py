"""The list of DNS providers, made from a module as a Go proxy serves it."""

import io
import json
from pathlib import Path
from zipfile import ZipFile

import pytest

from builder import lego
from builder.errors import BuildError
from builder.registry import REGISTRY, load_registry

from .source_server import SourceServer

TOML = """
Code = "two"
Aliases = ["second"]
[Configuration.Credentials]
TWO_TOKEN = "a token"
"By a friend" = "of the firm"
[Configuration.Additional]
TWO_TTL = "seconds"
AWS_REGION = "managed by a library"
"""
GO = 'const envNamespace = "TWO_"\nconst altEnvNamespace = "OLD_"\n'


@pytest.fixture
def version() -> str:
    components = load_registry(REGISTRY).components
    return next(f"v{one.newest}" for one in components if one.name == "certbot-dns-multi")


def test_names_and_variables_of_every_provider(
    version: str, source_server: SourceServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = io.BytesIO()
    major = version.partition(".")[0]
    with ZipFile(content, "w") as module:
        folder = f"github.com/go-acme/lego/{major}@{version}/providers/dns/two"
        module.writestr(f"{folder}/two.toml", TOML)
        module.writestr(f"{folder}/two.go", GO)
        module.writestr(f"{folder}/two_test.go", 'const envNamespace = "TEST_"')
    path = f"/github.com/go-acme/lego/{major}/@v/{version}.zip"
    source_server.serve(path, content.getvalue())
    monkeypatch.setenv("GOPROXY", source_server.address)
    lego.write_providers(tmp_path / "table.json")
    row = {"needs": ["TWO_TOKEN"], "takes": ["TWO_TTL", "AWS_REGION", "AWS_*", "OLD_*"]}
    assert json.loads((tmp_path / "table.json").read_text()) == {
        "version": version.removeprefix("v"),
        "providers": {"second": row, "two": row},
    }


def test_a_module_that_is_not_to_be_had(
    source_server: SourceServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOPROXY", source_server.address)
    with pytest.raises(BuildError, match=r"lego v.* is not to be had: its source answers 404"):
        lego.write_providers(tmp_path / "table.json")
    assert not (tmp_path / "table.json").exists()


def test_the_list_is_of_the_version_in_the_image(version: str) -> None:
    assert f"v{json.loads(lego.TABLE.read_text())['version']}" == version
