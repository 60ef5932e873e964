"""Makes the table of lego's DNS providers: the name of each, and its variables.

From lego's own module, of the version that certbot-dns-multi holds; the two count alike.
"""

import json
import os
import re
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

from builder.errors import BuildError
from builder.registry import REGISTRY, load_registry
from builder.sources import RefusedError, UnreachableError, fetch, list_go_proxies, read_goproxy

TABLE = Path("appliance/settings/lego_providers.json")
_PLUGIN = "certbot-dns-multi"
# Who has one of these has more, read by libraries of the firm: lego's list is not all.
_OF_FIRMS = {"AWS_": "AWS_", "AZURE_": "AZURE_", "GCE_": "GOOGLE_", "OCI_": "OCI_", "OS_": "OS_"}
_NAME = re.compile("[A-Z][A-Z0-9_]+")
_PREFIX = re.compile(r'(?:alt)?[eE]nv\w*Namespace\w*\s*=\s*"([A-Z0-9_]+_)"')


def write_providers(path: Path = TABLE) -> None:
    """Write the table anew. Raise BuildError if lego's module is not to be had."""
    components = load_registry(REGISTRY).components
    version = next(one.newest for one in components if one.name == _PLUGIN)
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder, "lego.zip")
        _fetch(f"v{version}", archive)
        with ZipFile(archive) as module:
            providers = dict(sorted(_read(module)))
    rows = [f"  {json.dumps(name)}: {json.dumps(row)}" for name, row in providers.items()]
    head = f'{{\n "version": {json.dumps(version)},\n "providers": {{\n'
    path.write_text(head + ",\n".join(rows) + "\n }\n}\n")


def _fetch(version: str, archive: Path) -> None:
    major = version.partition(".")[0]
    path = f"github.com/go-acme/lego/{major}/@v/{version}.zip"
    refusals = []
    for proxy in list_go_proxies(read_goproxy(os.environ)):
        try:
            return fetch(f"{proxy}/{path}", archive)
        except (RefusedError, UnreachableError) as error:
            refusals.append(str(error))
    raise BuildError(f"lego {version} is not to be had: {'; '.join(refusals) or 'no Go proxy'}")


def _read(module: ZipFile) -> Iterator[tuple[str, dict[str, list[str]]]]:
    """Yield each name of each provider with its variables: the needed ones and all it takes."""
    for name in module.namelist():
        if re.search(r"/providers/dns/\w+/\w+\.toml$", name):
            description = tomllib.loads(module.read(name).decode())
            variables = description.get("Configuration", {})
            needs, more = (
                [one for one in variables.get(key, ()) if _NAME.fullmatch(one)]
                for key in ("Credentials", "Additional")
            )
            row = {"needs": needs, "takes": [*more, *_prefixes(module, name, [*needs, *more])]}
            for code in (description["Code"], *description.get("Aliases", ())):
                yield code, row


def _prefixes(module: ZipFile, name: str, known: list[str]) -> Iterator[str]:
    """Yield, with a `*`, what other variables may begin with: older names, libraries' own."""
    folder = name.rpartition("/")[0]
    sources = [
        module.read(other).decode()
        for other in module.namelist()
        if re.fullmatch(rf"{re.escape(folder)}/\w+(?<!_test)\.go", other)
    ]
    others = {prefix for source in sources for prefix in _PREFIX.findall(source)}
    listed = {prefix for prefix in others if any(one.startswith(prefix) for one in known)}
    of_firms = {
        _OF_FIRMS[prefix] for prefix in _OF_FIRMS if any(one.startswith(prefix) for one in known)
    }
    for prefix in sorted((others - listed) | of_firms):
        yield f"{prefix}*"
