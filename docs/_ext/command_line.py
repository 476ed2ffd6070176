"""The directive `command-line`: the help of every command, as `--help` prints it."""

import contextlib
import io
from typing import Any

import typer
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from jdgnn.experiment.cli.main import app as command_line
from jdgnn.experiment.cli.main import main


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
    return {name: _printed(*name.split(), "--help") for name in ("", *typer.main.get_group(command_line).commands)}


def _printed(*arguments: str) -> str:
    with contextlib.redirect_stdout(io.StringIO()) as output:
        main(arguments)
    return output.getvalue()


def setup(app: Sphinx) -> dict[str, Any]:
    """Adds the directive."""
    app.add_directive("command-line", CommandLine)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
