"""The tree of verbs: every one explains itself, and its examples are true."""

import shlex
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from appliance.cli.commands import appliance
from appliance.cli.verb import Verb


def walk(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Verb]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from walk(command, (*path, name))
        else:
            assert isinstance(command, Verb), name
            yield (*path, name), command


VERBS = dict(walk(appliance))
EXAMPLES = [(path, example) for path, verb in VERBS.items() for example in verb.examples]


def test_the_help_fits_one_screen() -> None:
    lines = CliRunner().invoke(appliance, ["--help"], terminal_width=80).output.splitlines()
    assert len(lines) <= 30
    assert not [line for line in lines[1:] if line.endswith("...")]


@pytest.mark.parametrize("path", VERBS, ids=" ".join)
def test_every_verb_explains_itself(path: tuple[str, ...]) -> None:
    text = CliRunner().invoke(appliance, [*path, "--help"]).output
    assert "Examples:\n" in text
    for example in VERBS[path].examples:
        assert f"  {example}\n" in text


@pytest.mark.parametrize(("path", "example"), EXAMPLES)
def test_examples_are_of_their_verb_and_can_be_parsed(path: tuple[str, ...], example: str) -> None:
    words = shlex.split(example)
    arguments = words[max(i for i, word in enumerate(words) if word.endswith("appliance")) + 1 :]
    for stop in ("<", "|"):
        arguments = arguments[: arguments.index(stop)] if stop in arguments else arguments
    verb = path
    if tuple(arguments[: len(path)]) != path and path == ("invite", "new"):
        verb = ("invite",)  # of which it is the verb that is meant
    assert tuple(arguments[: len(verb)]) == verb
    VERBS[path].make_context("appliance", arguments[len(verb) :])
