"""Templates to text: `templates/` mirrors `/`, a missing value is an error.

Pure but for reading the templates; knows no part.
"""

import json
import sys
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import (
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    ModuleLoader,
    StrictUndefined,
    select_autoescape,
)

TEMPLATES = Path("/usr/share/appliance/templates")
# The same as Python, made by `compile_templates` when the image is built.
COMPILED = Path("/usr/share/appliance/compiled-templates")
_CHECKOUT = Path(__file__).parent.parent / "templates"


@cache
def _environment() -> Environment:
    sources = TEMPLATES if TEMPLATES.is_dir() else _CHECKOUT
    return _make_environment(ChoiceLoader([ModuleLoader(COMPILED), FileSystemLoader(sources)]))


def _make_environment(loader: ChoiceLoader | FileSystemLoader) -> Environment:
    environment = Environment(
        loader=loader,
        undefined=StrictUndefined,
        autoescape=select_autoescape(["html.j2", "html"]),
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters["json"] = to_json
    return environment


def compile_templates(sources: Path, target: Path) -> None:
    """Compile every template to a Python module, which a boot loads instead of parsing it."""
    environment = _make_environment(FileSystemLoader(sources))
    environment.compile_templates(target, extensions=["j2"], zip=None, ignore_errors=False)


def to_json(value: object) -> str:
    """Given data, return it as JSON on one line, which is YAML too."""
    return json.dumps(value, ensure_ascii=False, default=str)


def render_template(template: str, **values: Any) -> str:
    """Given the path of a template under `templates/`, return its text with the values filled in.

    Raise jinja2.UndefinedError if the template wants a value it was not given.
    """
    return _environment().get_template(template).render(values)


if __name__ == "__main__":
    compile_templates(Path(sys.argv[1]), Path(sys.argv[2]))
