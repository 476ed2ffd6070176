"""Help that teaches: what commands say of themselves, in 80 columns, with examples."""

import argparse
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

Commands = argparse._SubParsersAction
WIDTH = 80


class Raw(argparse.RawDescriptionHelpFormatter):
    """Keeps the lines of descriptions and examples, and folds what is said of arguments to 80 columns at most."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self._width = min(self._width, WIDTH - 1)


def grouped(groups: Mapping[str, Sequence[str]]) -> type[Raw]:
    """What formats the help of the program: its commands in groups.

    Args:
      groups: names of commands, by what they are for; what stands in none is put into the last.
    """

    class Grouped(Raw):
        def _format_action(self, action: argparse.Action) -> str:
            if not isinstance(action, argparse._SubParsersAction):
                return super()._format_action(action)
            known = {one.dest: one for one in action._choices_actions}
            last, placed = list(groups)[-1], {name for names in groups.values() for name in names}
            lines = []
            for group, names in groups.items():
                others = [name for name in known if name not in placed] if group == last else []
                lines.append(f"  {group}:\n")
                lines += [self._line(name, known[name].help) for name in [*names, *others] if name in known]
            return "".join(lines)

        def _line(self, name: str, help: str | None) -> str:
            return f"    {name:12}{help or ''}\n"

    return Grouped


def add_command(
    commands: "Commands[argparse.ArgumentParser]",
    name: str,
    *,
    help: str,
    description: str,
    examples: Mapping[str, str],
    epilog: str = "",
) -> argparse.ArgumentParser:
    """Adds a command whose help ends in examples.

    Args:
      commands: those there are.
      name: what is typed.
      help: one line.
      description: what it does.
      examples: what to type, and what that does.
      epilog: what else there is to say.

    Returns:
      The parser of its arguments.
    """
    return commands.add_parser(
        name,
        help=help,
        description=folded(description),
        epilog="\n\n".join(part for part in (folded(epilog), shown(examples)) if part),
        formatter_class=Raw,
    )


def folded(text: str, indent: int = 0) -> str:
    """A paragraph in lines of 79 columns, less an indent.

    >>> folded("a " * 50).count(chr(10))
    1
    """
    return textwrap.fill(text, WIDTH - 1 - indent, break_long_words=False, break_on_hyphens=False)


def entry(start: str, text: str) -> str:
    """An entry of a list in lines of 79 columns: its name, and beside it what it is.

    >>> entry("  gcn  ", "Graph convolution.")
    '  gcn  Graph convolution.'
    """
    return textwrap.fill(
        text, WIDTH - 1, initial_indent=start, subsequent_indent=" " * len(start), break_on_hyphens=False
    )


def shown(examples: Mapping[str, str]) -> str:
    """What to type, and below each what it does.

    >>> shown({"jdgnn datasets list": "what there is"}).splitlines()[1:]
    ['  jdgnn datasets list', '      what there is']
    """
    lines = [f"  {command}\n{textwrap.indent(folded(text, 6), ' ' * 6)}" for command, text in examples.items()]
    return "\n".join(["examples:", *lines])
