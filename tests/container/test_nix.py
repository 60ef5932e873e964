"""The flake, evaluated against a small stand-in for nixpkgs: nothing of it is built here."""

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import docker
import pytest
import yaml

from .nix import ROOT, Nix, build, copy_sources

SYSTEMS = ("x86_64-linux", "aarch64-linux")
OUTPUTS = {
    "packages": {"default", "image", "vm-qcow2"},
    "checks": {"image", "machine", "selfcheck"},
    "devShells": {"default"},
}
# Every derivation is made, down to its last argument.
DERIVATIONS = (
    "builtins.mapAttrs (_: outputs: builtins.mapAttrs (_: output: output.drvPath) outputs)"
)


@dataclass(frozen=True)
class Bench:
    """Nix, and the folder that it sees as /work."""

    nix: Nix
    folder: Path


@pytest.fixture(scope="module")
def bench(
    docker_client: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("nix")
    copy_sources(folder)
    container = docker_client.containers.run(
        build(),
        ["sleep", "infinity"],
        detach=True,
        init=True,
        network_mode="none",
        volumes={str(folder): {"bind": "/work", "mode": "ro"}},
    )
    try:
        yield Bench(Nix(container), folder)
    finally:
        container.remove(force=True, v=True)


def with_version(bench: Bench, name: str, version: str) -> str:
    """Return a nixpkgs with another version of a package."""
    stub = bench.folder / f"with-{name}-{version}"
    shutil.copytree(bench.folder / "stub", stub)
    versions = json.loads((stub / "versions.json").read_text())
    assert name in versions
    (stub / "versions.json").write_text(json.dumps({**versions, name: version}))
    return f"/work/{stub.name}"


def test_nix_itself_finds_nothing_wrong(bench: Bench) -> None:
    bench.nix.on_flake("flake", "check", "path:/work/flake", "--no-build", "--all-systems")


@pytest.mark.parametrize("kind", OUTPUTS)
def test_outputs_of_both_architectures(bench: Bench, kind: str) -> None:
    found = bench.nix.evaluate(kind, DERIVATIONS)
    assert {system: set(outputs) for system, outputs in found.items()} == dict.fromkeys(
        SYSTEMS, OUTPUTS[kind]
    )
    paths = {path for outputs in found.values() for path in outputs.values()}
    assert all(path.endswith(".drv") for path in paths)
    # Nothing is the same for two architectures; `default` is the image.
    assert len(paths) == len(SYSTEMS) * len(OUTPUTS[kind] - {"image" if kind == "packages" else ""})


def test_other_outputs(bench: Bench) -> None:
    formatters = bench.nix.evaluate("formatter", "builtins.mapAttrs (_: output: output.drvPath)")
    assert set(formatters) == set(SYSTEMS)
    assert bench.nix.evaluate("overlays", "builtins.attrNames") == ["default"]
    assert bench.nix.evaluate("nixosModules", "builtins.attrNames") == ["default"]


@pytest.mark.parametrize(
    ("package", "version", "complaint"),
    [
        ("matrix-synapse-unwrapped", "1.157.1", "synapse is 1.157.1 in this nixpkgs, and must be"),
        ("mautrix-telegram", "0.15.3", "mautrix-telegram is 0.15.3 in this nixpkgs, and must be"),
        ("postgresql_17", "16.9", "postgres is 16.9 in this nixpkgs, and must be at least 17"),
    ],
)
@pytest.mark.parametrize(
    "output", ["packages.x86_64-linux.image", "packages.aarch64-linux.vm-qcow2"]
)
def test_component_below_its_floor(
    bench: Bench, package: str, version: str, complaint: str, output: str
) -> None:
    stub = bench.folder / f"with-{package}-{version}"
    nixpkgs = f"/work/{stub.name}" if stub.exists() else with_version(bench, package, version)
    with pytest.raises(RuntimeError, match=re.escape(complaint)):
        bench.nix.evaluate(output, "output: output.drvPath", nixpkgs)


def test_overlay_raises_a_component(bench: Bench) -> None:
    nixpkgs = with_version(bench, "matrix-synapse-unwrapped", "1.100.0")
    image = (
        f"(import {nixpkgs} {{ system = ''x86_64-linux''; overlays = [ %s "
        "(import /work/flake/nix/overlay.nix) ]; }).matrix-appliance-image.drvPath"
    )
    evaluate = ("eval", "--impure", "--raw", "--expr")
    with pytest.raises(RuntimeError, match=r"synapse is 1\.100\.0 in this nixpkgs"):
        bench.nix.run(*evaluate, image % "")
    raising = (
        "(_: before: { matrix-synapse-unwrapped = before.matrix-synapse-unwrapped "
        "// { version = ''1.163.2''; }; })"
    )
    assert bench.nix.run(*evaluate, image % raising).endswith(".drv")


def test_option_that_nixos_does_not_have(bench: Bench) -> None:
    """The stand-in judges: without this the tests above would say nothing of the module."""
    broken = bench.folder / "broken"
    shutil.copytree(bench.folder / "flake", broken)
    module = broken / "nix/machine.nix"
    text = module.read_text()
    assert "growPartition" in text
    module.write_text(text.replace("growPartition", "growPartitions"))
    output = "path:/work/broken#checks.x86_64-linux.machine.drvPath"
    with pytest.raises(RuntimeError, match=r"NixOS has no option boot\.growPartitions"):
        bench.nix.on_flake("eval", "--raw", output)


def test_registry_is_read_as_yaml_says(bench: Bench) -> None:
    read = json.loads(bench.nix.run("eval", "--json", "--file", "/work/flake/nix/registry.nix"))
    written = yaml.safe_load((ROOT / "components/components.yaml").read_text())["components"]
    keys = ("kind", "floor", "licence", "homepage", "source")
    assert {name: {key: row[key] for key in keys if key in row} for name, row in read.items()} == {
        name: {key: row[key] for key in keys if key in row} for name, row in written.items()
    }


def test_users_are_those_of_the_other_image(bench: Bench) -> None:
    read = json.loads(bench.nix.run("eval", "--json", "--file", "/work/flake/nix/users.nix"))
    file = ROOT / "rootfs/usr/lib/sysusers.d/matrix-appliance.conf"
    lines = [line.split() for line in file.read_text().splitlines() if line.startswith("u ")]
    assert [(user["name"], user["number"], user["home"]) for user in read] == [
        (line[1], line[2], line[-1]) for line in lines
    ]


def test_image_is_started_as_the_other() -> None:
    """PATH, entry point, signal and volumes are those of the Dockerfile."""
    recipe = (ROOT / "Dockerfile").read_text()
    image = (ROOT / "nix/image.nix").read_text()
    path = re.search(r"^ENV PATH=(\S+)", recipe, re.MULTILINE)
    assert path
    assert f'"PATH={path[1]}"' in image
    assert f"PATH={path[1]} \\\n" in (ROOT / "nix/selfcheck.nix").read_text()
    assert 'ENTRYPOINT ["appliance-entrypoint"]' in recipe
    assert 'Entrypoint = [ "appliance-entrypoint" ];' in image
