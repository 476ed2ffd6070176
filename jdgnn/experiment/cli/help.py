"""Help in plain text of at most 80 columns: commands in groups, examples as they are written, and last."""

import textwrap
from typing import Any

from typer.core import TyperCommand, TyperGroup

WIDTH = 79
"""Columns of a line."""


class Command(TyperCommand):
    """A command whose help keeps the lines of its docstring, and has the last paragraph, the examples, at the end."""

    def format_help_text(self, ctx: Any, formatter: Any) -> None:
        """Writes all paragraphs but the last."""
        formatter.write(f"\n{textwrap.indent(_paragraphs(self)[0], '  ')}\n")

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Writes arguments and options."""
        records: dict[str, list[tuple[str, str]]] = {"argument": [], "option": []}
        for parameter in self.get_params(ctx):
            name, text = parameter.get_help_record(ctx)  # type: ignore[misc]  # none is hidden
            is_option = parameter.param_type_name == "option"
            # typer adds the Python type of an argument, which tells a user nothing
            records[parameter.param_type_name].append((name if is_option else name.partition(" <")[0], text))
        for kind, rows in records.items():
            if rows:
                with formatter.section(f"{kind.title()}s"):
                    formatter.write_dl(rows)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Writes the last paragraph."""
        formatter.write(f"\n{_paragraphs(self)[1]}\n")


class Group(TyperGroup):
    """Commands whose help lists them by their `rich_help_panel`."""

    format_help_text = Command.format_help_text
    format_epilog = Command.format_epilog

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Writes the commands of each group."""
        groups: dict[str, list[tuple[str, str]]] = {}
        width = max(map(len, self.commands))
        for name, command in self.commands.items():
            title = getattr(command, "rich_help_panel", None) or "Commands"
            groups.setdefault(title, []).append((f"{name:{width}}", command.get_short_help_str(WIDTH)))
        for title, rows in groups.items():
            with formatter.section(title):
                formatter.write_dl(rows)


def _paragraphs(command: Any) -> tuple[str, str]:
    """The docstring of a command without its last paragraph, and the last paragraph."""
    text, _, last = command.help.rpartition("\n\n")
    return text, last


def folded(text: str) -> str:
    """A paragraph in lines of 79 columns.

    >>> folded("a " * 50).count(chr(10))
    1
    """
    return textwrap.fill(text, WIDTH, break_long_words=False, break_on_hyphens=False)


def entry(start: str, text: str) -> str:
    """An entry of a list in lines of 79 columns: its name, and its description at the right.

    >>> entry("  gcn  ", "Graph convolution.")
    '  gcn  Graph convolution.'
    """
    return textwrap.fill(text, WIDTH, initial_indent=start, subsequent_indent=" " * len(start), break_on_hyphens=False)
