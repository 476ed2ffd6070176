"""`jdgnn parts`: what a configuration can name, and what each part takes."""

import textwrap
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jdgnn.experiment.cli.help import WIDTH, entry, folded

if TYPE_CHECKING:
    from jdgnn.experiment.config.catalogue import Argument


def _names() -> list[str]:
    from jdgnn.experiment.config.catalogue import KINDS

    return sorted({*KINDS, *(part for kind in KINDS.values() for part in kind.parts)})


def parts(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="a part, KIND.PART, or a kind", autocompletion=_names)
    ] = None,
) -> None:
    """List the parts that a configuration can name.

    Parts are networks, layers, objectives, optimisers, clocks, links, merge
    rules and so on. With the NAME of a part, explains its options and prints a
    snippet to paste into a configuration.

    Examples:
      jdgnn parts
          one line for each part
      jdgnn parts merge
          the parts of one kind
      jdgnn parts gcn
          the options of one part, with a snippet
      jdgnn parts drop.bernoulli
          KIND.PART, where several kinds have a part of this name
    """
    from jdgnn.experiment.config.catalogue import KINDS, find

    if name is None:
        print(folded("Parts that a configuration can name. jdgnn parts NAME explains one."))
        for kind in KINDS:
            print(f"\n{_listed(kind)}")
    elif name in KINDS:
        print(_listed(name))
    else:
        print(_described(*find(name)))


def _listed(kind: str) -> str:
    from jdgnn.experiment.config.catalogue import KINDS, summary

    one = KINDS[kind]
    width = max(map(len, one.parts)) + 2
    lines = [entry(f"  {name:{width}}", summary(kind, name)) for name in one.parts]
    return "\n".join([f"{kind}: {one.summary}", *lines])


def _described(kind: str, name: str) -> str:
    from jdgnn.experiment.config.catalogue import KINDS, describe

    part = describe(kind, name)
    paragraphs = [folded(f"{kind}.{name}: {part.summary}")]
    if part.arguments:
        paragraphs.append("\n".join(map(_argument, part.arguments)))
    paragraphs.append("In a configuration:\n\n" + textwrap.indent(part.snippet, "  "))
    if KINDS[kind].others:
        paragraphs.append(folded(f"It can also be used in {' and '.join(KINDS[kind].others)}."))
    return "\n\n".join(paragraphs)


def _argument(argument: "Argument") -> str:
    head = f"{argument.name} ({argument.wanted}{_default(argument.default)})"
    text = textwrap.fill(argument.text, WIDTH, initial_indent=" " * 6, subsequent_indent=" " * 6)
    return f"  {head}\n{text}" if argument.text else f"  {head}"


def _default(value: Any) -> str:
    from jdgnn.experiment.config.catalogue import toml

    if value is ...:
        return "; required"
    return "; optional" if value in (None, {}, []) else f"; default: {toml(value)}"
