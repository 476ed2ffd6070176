"""`jdgnn datasets`: networks that come with jdgnn."""

import argparse

from rich.console import Console

from jdgnn.errors import InputError
from jdgnn.experiment.commands.options import add_data_root
from jdgnn.experiment.tables import datasets_table, print_table


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command `datasets`."""
    datasets = commands.add_parser("datasets", help="networks that come with jdgnn")
    subcommands = datasets.add_subparsers(required=True, metavar="COMMAND")
    listing = subcommands.add_parser("list", help="list them, and where each would be read from")
    add_data_root(listing)
    listing.set_defaults(command=_list_datasets)


def _list_datasets(arguments: argparse.Namespace) -> None:
    root = arguments.data_root
    if root is not None and not root.is_dir():
        raise InputError(f"--data-root: there is no directory {root}; give the one that holds the data sets")
    print_table(Console(), datasets_table(root))
