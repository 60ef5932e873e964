"""A small web client in the shape of Element's release, for an image built without GitHub.

It does in a browser what Element cannot do without: WebAssembly, a worker from a blob, a picture
from a blob, and requests to the client API on another host.
"""

import hashlib
import io
import tarfile
from pathlib import Path

import yaml

from builder import image
from builder.engine import Engine
from builder.registry import REGISTRY

NAME, VERSION = "element-web", "0.0.1"

_PAGE = b"""<!doctype html>
<html><head><title>starting</title><link rel="icon" href="data:,">
<script src="bundles/0123abc/bundle.js" defer></script></head>
<body style="color: black"><img id="picture" alt=""></body></html>
"""
_WASM = bytes.fromhex("0061736d01000000")  # an empty module
_SCRIPT = b"""
(async () => {
  const config = await (await fetch("config.json")).json();
  const api = config.default_server_config["m.homeserver"].base_url;
  const answer = await fetch(api + "/_matrix/client/versions", {
    headers: { "X-Requested-With": "stand-in" }, // so that the browser asks first
  });
  if (!answer.ok) throw new Error(String(answer.status));
  const wasm = await WebAssembly.compileStreaming(fetch("bundles/0123abc/core.wasm"));
  if (!(wasm instanceof WebAssembly.Module)) throw new Error("no module");
  const source = new Blob(["postMessage('worked')"], { type: "text/javascript" });
  const worker = new Worker(URL.createObjectURL(source));
  await new Promise((resolve) => { worker.onmessage = resolve; });
  const picture = document.getElementById("picture");
  const drawn = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>';
  picture.src = URL.createObjectURL(new Blob([drawn], { type: "image/svg+xml" }));
  await picture.decode();
  document.title = "works";
})().catch((error) => { document.title = String(error); });
"""
_WIDGET = b"""<!doctype html>
<html><head><title>starting</title><link rel="icon" href="data:,">
<script>document.title = "works";</script></head><body></body></html>
"""
_TEXT = b'{"action": "an entry of a translation"}\n' * 100

FILES = {
    "index.html": _PAGE + b"<!-- long enough to be worth compressing -->\n" * 40,
    "bundles/0123abc/bundle.js": _SCRIPT,
    "bundles/0123abc/core.wasm": _WASM,
    "i18n/en_EN.0123abc.json": _TEXT,
    "i18n/languages.json": b'{"en": "en_EN.0123abc.json"}',
    "img/logo.0123abc.svg": b'<svg xmlns="http://www.w3.org/2000/svg"/>',
    "sw.js": b"// a service worker\n",
    "version": VERSION.encode(),
    "widgets/element-call/index.html": _WIDGET,
    "widgets/element-call/assets/index-0123abcd.js": b"// the widget\n",
    "config.sample.json": b"{}",
}


def build(engine: Engine, folder: Path, tag: str) -> None:
    """Build an image with it, the way an owner does who has the release as a file."""
    archive = folder / f"{NAME}-{VERSION}.tar.gz"
    with tarfile.open(archive, "w:gz") as release:
        for name, content in FILES.items():
            member = tarfile.TarInfo(f"element-v{VERSION}/{name}")
            member.size = len(content)
            release.addfile(member, io.BytesIO(content))
    checksum = hashlib.sha256(archive.read_bytes()).hexdigest()
    registry = yaml.safe_load(REGISTRY.read_text())
    registry["components"][NAME] |= {
        "url": "http://127.0.0.1:9/{version}",  # nothing listens there
        "versions": [{"version": VERSION, "sha256": checksum}],
    }
    components = folder / "components.yaml"
    components.write_text(yaml.safe_dump(registry, sort_keys=False))
    image.build(
        client=engine.client,
        environment=engine.environment,
        strict=True,
        # Not every bridge can be had everywhere.
        components=image.name_components([], [], [], components),
        tag=tag,
        components_file=components,
        artifacts=folder,
    )
