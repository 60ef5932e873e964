"""Templates to text: `templates/` mirrors `/`, a missing value is an error.

Pure but for reading the templates; knows no part.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

TEMPLATES = Path("/usr/share/appliance/templates")
_CHECKOUT = Path(__file__).parent.parent / "templates"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES if TEMPLATES.is_dir() else _CHECKOUT),
        undefined=StrictUndefined,
        autoescape=select_autoescape(["html.j2", "html"]),
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters["json"] = to_json
    return environment


def to_json(value: object) -> str:
    """Given data, return it as JSON on one line, which is YAML too."""
    return json.dumps(value, ensure_ascii=False, default=str)


def render_template(template: str, **values: Any) -> str:
    """Given the path of a template under `templates/`, return its text with the values filled in.

    Raise jinja2.UndefinedError if the template wants a value it was not given.
    """
    return _environment().get_template(template).render(values)
