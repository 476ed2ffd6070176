"""The directive `command-line`: what `--help` says of every command, from the parser itself."""

import argparse
import os
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from jdgnn.experiment.cli.main import parser as whole_parser

WIDTH = "94"


class CommandLine(SphinxDirective):
    """Shows the help of all commands, or of the one that is named."""

    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Makes a block of text of each help."""
        return [
            node for name, text in helps().items() if self.arguments in ([], [name]) for node in self._shown(name, text)
        ]

    def _shown(self, name: str, text: str) -> list[nodes.Node]:
        block = nodes.literal_block(text, text, language="text")
        if self.arguments:
            return [block]
        title = f"jdgnn {name}".strip()
        section = nodes.section("", nodes.title(title, title), block, ids=[nodes.make_id(title)], names=[title])
        return [section]


def helps() -> dict[str, str]:
    """The help of the program, under an empty name, and of each of its commands."""
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = WIDTH
    try:
        parser = whole_parser()
        found = {"": parser.format_help()}
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                found |= {name: command.format_help() for name, command in action.choices.items()}
        return found
    finally:
        os.environ.pop("COLUMNS") if before is None else os.environ.update(COLUMNS=before)


def setup(app: Sphinx) -> dict[str, Any]:
    """Adds the directive."""
    app.add_directive("command-line", CommandLine)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
