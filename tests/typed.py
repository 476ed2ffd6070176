"""Commands as typer reads them, without running them."""

from collections.abc import Sequence
from typing import Any

import typer
from typer.core import TyperGroup

from jdgnn.experiment.cli.main import app


def commands() -> list[str]:
    """The names of all commands, in the order of the help."""
    return list(typer.main.get_group(app).commands)


def typed(arguments: Sequence[str]) -> dict[str, Any]:
    """The arguments and options of a command by their names in Python; what typer rejects raises."""
    command: Any = typer.main.get_group(app)
    words = list(arguments)
    while words and isinstance(command, TyperGroup):
        command = command.commands[words.pop(0)]
    with command.make_context("jdgnn", words) as context:
        return context.params
