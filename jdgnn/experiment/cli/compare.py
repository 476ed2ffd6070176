"""`jdgnn compare`: differences between finished runs."""

from pathlib import Path
from typing import Annotated

import typer

from jdgnn.errors import InputError
from jdgnn.experiment.cli.options import Overwrite, check_new_file
from jdgnn.files import write_json


def compare(
    first: Annotated[Path, typer.Argument(metavar="A", help="directory of a run, with or without --seeds")],
    others: Annotated[list[Path], typer.Argument(metavar="B", help="directories of runs to compare with A")],
    *,
    json: Annotated[Path | None, typer.Option(metavar="FILE", help="also write the comparison to FILE as JSON")] = None,
    overwrite: Overwrite = False,
) -> None:
    """Compare finished runs with the first, paired by seed and split.

    Also lists the configuration keys that differ. Networks and splits must be
    the same. Values are means and standard deviations over seeds, or over splits
    where there is one seed; differences are taken over the seeds that both runs
    have.

    Examples:
      jdgnn compare runs/a runs/b
          by how much two configurations differ, each run with --seeds 5
      jdgnn compare runs/a runs/b runs/c --json differences.json
          several runs, and the same values as JSON
    """
    from rich.console import Console

    from jdgnn.experiment.results import compare as results
    from jdgnn.experiment.results.comparison_tables import print_comparison

    if overwrite and json is None:
        raise InputError("--overwrite: expected --json FILE, got no file to replace")
    if json is not None:
        check_new_file("--json", json, overwrite=overwrite)
    comparison = results.compare([first, *others])
    print_comparison(Console(), comparison)
    if json is not None:
        write_json(json, comparison)
