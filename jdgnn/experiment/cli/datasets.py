"""`jdgnn datasets`: networks that come with jdgnn."""

import argparse

from rich.console import Console

from jdgnn.errors import InputError
from jdgnn.experiment.cli.help import Commands, add_command
from jdgnn.experiment.cli.options import add_data_root
from jdgnn.experiment.results.formatting import print_table
from jdgnn.experiment.results.tables import datasets_table

EXAMPLES = {
    "jdgnn datasets list": "what there is, read from $JDGNN_DATA or downloaded",
    "jdgnn datasets list --data-root data": "the same, where data sets lie in folders of data/",
}


def add(commands: Commands) -> None:
    """Adds the command `datasets`."""
    description = "Networks that come with jdgnn: some inside it, others read from a data root or downloaded once."
    datasets = add_command(
        commands, "datasets", help="networks that come with jdgnn", description=description, examples=EXAMPLES
    )
    subcommands = datasets.add_subparsers(required=True, metavar="COMMAND")
    listing = add_command(
        subcommands,
        "list",
        help="list them, and where each would be read from",
        description="Lists the data sets, and where each would be read from.",
        examples=EXAMPLES,
    )
    add_data_root(listing)
    listing.set_defaults(command=_list_datasets)


def _list_datasets(arguments: argparse.Namespace) -> None:
    root = arguments.data_root
    if root is not None and not root.is_dir():
        raise InputError(f"--data-root: there is no directory {root}; give the one that holds the data sets")
    print_table(Console(), datasets_table(root))
