"""Tasks of a checkout: `./inv up` and the others. Each is thin; the work is in `builder/`."""

import os
import subprocess
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import ParamSpec

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import task

from appliance.settings.documentation import render_documentation
from builder import image, inputs, lego, requirements, trial
from builder import lock as locking
from builder.engine import Engine, ensure_engine, find_engine
from builder.errors import BuildError
from builder.registry import REGISTRY
from builder.stages import write_sbom

ROOT = Path(__file__).parent
SOURCES = "appliance builder bench tests tasks.py inv"
Arguments = ParamSpec("Arguments")
os.chdir(ROOT)


def explained(action: Callable[Arguments, None]) -> Callable[Arguments, None]:
    """Turn a BuildError into one message and status 1."""

    @wraps(action)
    def run(*args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
        try:
            action(*args, **kwargs)
        except BuildError as error:
            raise Exit(str(error), 1) from error

    return run


@task
@explained
def up(_: Context) -> None:
    """Build the image if anything changed and start the trial on this machine."""
    engine = ensure_engine(os.environ)
    _build_if_changed(engine)
    variables = trial.variables_of(os.environ)
    settings = trial.Trial(engine, image.TAG, variables).start()
    print(trial.describe(settings, os.environ))


@task(help={"volume": "Remove its data too."})
@explained
def down(_: Context, volume: bool = False) -> None:
    """Stop and remove the trial; its data stays."""
    there = trial.remove(find_engine(os.environ).docker, volume=volume)
    print(f"{trial.NAME} is gone." if there else f"There is no {trial.NAME}.")


@task(
    help={
        "strict": "Refuse to build without a component.",
        "release": "Refuse an older version of a component too.",
        "with_": "Components that are not built by default, separated by commas.",
        "without": "Components to leave out, separated by commas.",
        "bridges": "The bridges to have, separated by commas, or none.",
        "components-file": "Another registry of components.",
        "tag": "The image's name.",
    },
)
@explained
def build(
    _: Context,
    with_: str = "",
    without: str = "",
    bridges: str = "",
    strict: bool = False,
    release: bool = False,
    components_file: str = str(REGISTRY),
    tag: str = image.TAG,
) -> None:
    """Build the image and print what it holds."""
    engine = ensure_engine(os.environ)
    registry = Path(components_file)
    digest = inputs.digest_inputs()
    chosen = None
    if with_ or without or bridges:
        only = [name for name in _names(bridges) if name != "none"] if bridges else None
        chosen = image.name_components(_names(with_), _names(without), only, registry)
    result = image.build(
        client=engine.client,
        environment=engine.environment,
        strict=strict,
        release=release,
        components=chosen,
        tag=tag,
        components_file=registry,
    )
    if chosen is None and registry == REGISTRY and tag == image.TAG:
        inputs.remember(digest, result.image_id)


@task(
    iterable=["path"],
    help={
        "path": "A file or folder of tests, as often as needed (all of them by default).",
        "unit": "Only what needs no Docker: seconds.",
        "keyword": "Only tests whose name matches, as `pytest -k`.",
        "quick": "Leave out those that take minutes.",
    },
)
@explained
def test(
    _: Context, path: list[str], unit: bool = False, keyword: str = "", quick: bool = False
) -> None:
    """Run every test, the container ones included."""
    options = ["-k", keyword] if keyword else []
    if unit:
        _pytest(*options, "tests/unit", "tests/rendered")
        return
    engine = ensure_engine(os.environ)
    _build_if_changed(engine)
    requirements.ensure(os.environ)
    _pytest(*options, *(["-m", "not slow"] if quick else []), *(path or ["tests"]))


@task
def check(context: Context) -> None:
    """Check style, types and generated documents."""
    python = sys.executable
    context.run(f"{python} -m ruff check {SOURCES}")
    context.run(f"{python} -m ruff format --check {SOURCES}")
    context.run(f"{python} -m mypy")
    context.run(f"{python} -m mypy tasks.py inv")
    context.run(f"{python} -m pytest -q tests/unit/settings -k documentation")


@task
def docs(_: Context) -> None:
    """Write the documents that are made from the code."""
    page = render_documentation()
    (ROOT / "docs/environment.md").write_text(f"{page}\n")


@task(help={"tag": "The image's name."})
@explained
def sbom(_: Context, tag: str = image.TAG) -> None:
    """Print what an image is made of, as CycloneDX in JSON; the same is in the image."""
    docker = find_engine(os.environ).docker
    path = f"/usr/share/appliance/{write_sbom.FILE}"
    print(docker.read("run", "--rm", "--network=none", "--entrypoint=cat", tag, path))


@task
@explained
def lock(_: Context) -> None:
    """Resolve the image's Python distributions anew, and list the DNS providers among them."""
    locking.write_locks()
    lego.write_providers()


@task(
    iterable=["only"],
    help={"rounds": "Boots of each kind.", "only": "One measurement, as often as needed."},
)
@explained
def bench(context: Context, only: list[str], rounds: int = 5) -> None:
    """Measure boot, restart, certificates, memory, calls and rebuild of the built image."""
    engine = ensure_engine(os.environ)
    _build_if_changed(engine)
    chosen = "".join(f" --only {name}" for name in only)
    command = f"{sys.executable} -m bench --rounds {rounds}{chosen}"
    context.run(command, env=dict(engine.environment))


@task(help={"follow": "Go on as more is said."})
@explained
def logs(_: Context, follow: bool = False) -> None:
    """Show what the trial says."""
    docker = find_engine(os.environ).docker
    docker.run("logs", *(["--follow"] if follow else []), trial.NAME)


@task
@explained
def shell(_: Context) -> None:
    """Open a shell inside the trial."""
    engine = find_engine(os.environ)
    subprocess.run([*engine.client, "exec", "-it", trial.NAME, "sh"], check=False)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _build_if_changed(engine: Engine) -> None:
    """Build unless the image is that of this very tree."""
    digest = inputs.digest_inputs()
    docker = engine.docker
    if docker.succeeds("image", "inspect", image.TAG):
        current = docker.read("image", "inspect", image.TAG, "--format", "{{.Id}}")
        if inputs.is_built(digest, current):
            return
    result = image.build(client=engine.client, environment=engine.environment)
    inputs.remember(digest, result.image_id)


def _pytest(*arguments: str) -> None:
    """Run pytest; no test at all is a failure too."""
    command = [sys.executable, "-m", "pytest", *arguments]
    status = subprocess.run(command, check=False).returncode
    if status:
        raise Exit(f"pytest ended with status {status}", status)
