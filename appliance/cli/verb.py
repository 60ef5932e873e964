"""A verb of the command line: a click command whose help ends with examples."""

from collections.abc import Sequence
from typing import Any

import click


class Verb(click.Command):
    """A command with examples, each a line that works as written (CONTAINER and NAME filled in)."""

    def __init__(self, *arguments: Any, examples: Sequence[str], **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.examples = tuple(examples)

    def format_epilog(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, unwrapped."""
        del context
        with formatter.section("Examples"):
            for example in self.examples:
                formatter.write(f"{'':{formatter.current_indent}}{example}\n")
