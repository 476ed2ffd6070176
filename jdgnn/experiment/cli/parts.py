"""`jdgnn parts`: what a configuration can name, and what each part takes."""

import argparse
import textwrap
from typing import Any

from jdgnn.experiment.cli.help import WIDTH, Commands, add_command, entry, folded
from jdgnn.experiment.config.catalogue import KINDS, Argument, describe, find, summary, toml


def add(commands: Commands) -> None:
    """Adds the command `parts`."""
    parts = add_command(
        commands,
        "parts",
        help="what a configuration can name, and what each part takes",
        description="Lists all parts that a configuration can name: networks, layers, objectives, optimisers, clocks, "
        "links, merge rules and so on. With the name of one, says what it takes, and what to write to get it.",
        examples={
            "jdgnn parts": "all of them, with one line each",
            "jdgnn parts merge": "those of one kind",
            "jdgnn parts gcn": "what a part takes, with a snippet to paste into a configuration",
            "jdgnn parts loss.bernoulli": "with its kind, where several kinds have a part of this name",
        },
    )
    parts.add_argument("name", nargs="?", metavar="NAME", help="a part, KIND.PART, or a kind")
    parts.set_defaults(command=_parts)


def _parts(arguments: argparse.Namespace) -> None:
    name = arguments.name
    if name is None:
        print(folded("Parts that a configuration can name. jdgnn parts NAME says what one takes."))
        for kind in KINDS:
            print(f"\n{_listed(kind)}")
    elif name in KINDS:
        print(_listed(name))
    else:
        print(_described(*find(name)))


def _listed(kind: str) -> str:
    one = KINDS[kind]
    width = max(map(len, one.parts)) + 2
    lines = [entry(f"  {name:{width}}", summary(kind, name)) for name in one.parts]
    return "\n".join([f"{kind}: {one.summary}", *lines])


def _described(kind: str, name: str) -> str:
    part = describe(kind, name)
    paragraphs = [folded(f"{kind}.{name}: {part.summary}")]
    if part.arguments:
        paragraphs.append("\n".join(map(_argument, part.arguments)))
    paragraphs.append("In a configuration:\n\n" + textwrap.indent(part.snippet, "  "))
    if KINDS[kind].others:
        paragraphs.append(folded(f"It can stand in {' and '.join(KINDS[kind].others)} as well."))
    return "\n\n".join(paragraphs)


def _argument(argument: Argument) -> str:
    head = f"{argument.name} ({argument.wanted}{_default(argument.default)})"
    text = textwrap.fill(argument.text, WIDTH - 1, initial_indent=" " * 6, subsequent_indent=" " * 6)
    return f"  {head}\n{text}" if argument.text else f"  {head}"


def _default(value: Any) -> str:
    if value is ...:
        return "; must be given"
    return "; may be left out" if value in (None, {}, []) else f"; {toml(value)} if left out"
