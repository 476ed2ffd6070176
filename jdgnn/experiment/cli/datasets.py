"""`jdgnn datasets`: the bundled data sets."""

import typer

from jdgnn.errors import InputError
from jdgnn.experiment.cli.help import Command, Group
from jdgnn.experiment.cli.options import DataRoot

HELP = """List the bundled data sets.

Some are part of jdgnn; others are read from a data root, or downloaded once.

Examples:
  jdgnn datasets list
      data sets, with those in $JDGNN_DATA
  jdgnn datasets list --data-root data
      data sets, with those in the folders of data/
"""

datasets = typer.Typer(cls=Group, help=HELP, subcommand_metavar="COMMAND ...")


@datasets.callback()
def _datasets() -> None:
    """Makes `list` a command of its own: without a callback, typer drops the name of a single command."""


@datasets.command("list", cls=Command, help=HELP)
def list_datasets(*, data_root: DataRoot = None) -> None:
    """Prints a table of data sets and where each is read from."""
    from rich.console import Console

    from jdgnn.experiment.results.formatting import print_table
    from jdgnn.experiment.results.tables import datasets_table

    if data_root is not None and not data_root.is_dir():
        raise InputError(f"--data-root: there is no directory {data_root}; give the one that holds the data sets")
    print_table(Console(), datasets_table(data_root))
