"""`jdgnn compare`: finished runs beside each other."""

import argparse
from pathlib import Path

from rich.console import Console

from jdgnn.errors import InputError
from jdgnn.experiment.cli.help import Commands, add_command
from jdgnn.experiment.cli.options import check_new_file
from jdgnn.experiment.results.compare import compare
from jdgnn.experiment.results.comparison_tables import print_comparison
from jdgnn.files import write_json


def add(commands: Commands) -> None:
    """Adds the command `compare`."""
    comparison = add_command(
        commands,
        "compare",
        help="compare finished runs with each other",
        description="Compares what finished runs have learned with the first of them, in pairs by seed and by split, "
        "and says in which keys their configurations differ.",
        examples={
            "jdgnn compare runs/a runs/b": "two variants, each run with --seeds 5: by how much they differ, and in "
            "which keys of their configurations",
            "jdgnn compare runs/a runs/b runs/c --json differences.json": "several, and the same as numbers",
        },
        epilog="Figures are means and sds over seeds of means over splits, or over splits where there is one seed. "
        "Differences are taken over the seeds that both have. Networks and splits must be the same.",
    )
    comparison.add_argument("first", type=Path, metavar="A", help="directory of a run, with or without --seeds")
    comparison.add_argument("others", type=Path, nargs="+", metavar="B", help="those to compare with it")
    comparison.add_argument("--json", type=Path, metavar="FILE", help="write the same to this file, as JSON")
    comparison.add_argument("--overwrite", action="store_true", help="replace what --json already holds")
    comparison.set_defaults(command=_compare)


def _compare(arguments: argparse.Namespace) -> None:
    file, paths = arguments.json, [arguments.first, *arguments.others]
    if arguments.overwrite and file is None:
        raise InputError("--overwrite: got no --json, and without one nothing is written; add --json FILE")
    if file is not None:
        check_new_file("--json", file, overwrite=arguments.overwrite)
    comparison = compare(paths)
    print_comparison(Console(), comparison)
    if file is not None:
        write_json(file, comparison)
