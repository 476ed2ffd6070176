"""`jdgnn report`: runs as one page to look at."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from jdgnn.errors import InputError, suggestion
from jdgnn.evaluation.maps import METHODS
from jdgnn.experiment.cli.help import Commands, add_command
from jdgnn.experiment.cli.options import check_new_file
from jdgnn.experiment.run.directory import REPORT

EXAMPLES = {
    "jdgnn report runs/cora": "write runs/cora/report.html anew, also while the run goes on",
    "jdgnn report runs/a runs/b --out both.html": "two runs, or two configurations with several seeds each, beside "
    "each other",
    "jdgnn report runs/cora --map pca,tsne": "with a second map of embeddings to choose; umap needs pip install "
    "'jdgnn[umap]'",
}


def add(commands: Commands) -> None:
    """Adds the command `report`."""
    report = add_command(
        commands,
        "report",
        help="one page to look at: curves, maps, messages, speed",
        description="Writes one self-contained page about a run, finished or not, or about several beside each other. "
        "It holds all it shows, so that it can be sent, kept and opened without a network.",
        examples=EXAMPLES,
    )
    report.add_argument(
        "directories", type=Path, nargs="+", metavar="DIR", help="directory of a run, with or without --seeds"
    )
    report.add_argument(
        "--out", type=Path, metavar="FILE", help=f"the page (default: DIR/{REPORT}, or {REPORT} here for several)"
    )
    report.add_argument(
        "--map",
        default="pca",
        metavar="METHODS",
        help=f"how embeddings are put into two dimensions, one of {', '.join(METHODS)} or several with commas "
        "(default: pca)",
    )
    report.add_argument("--overwrite", action="store_true", help="replace what --out already holds")
    report.set_defaults(command=_report)


def _report(arguments: argparse.Namespace) -> None:
    from jdgnn.experiment.report.making import write_report

    paths, methods = arguments.directories, methods_of(arguments.map)
    is_own = arguments.out is None and len(paths) == 1
    if arguments.overwrite and is_own:
        raise InputError(f"--overwrite: got no --out, and {paths[0] / REPORT} is replaced anyway; leave it out")
    out = arguments.out or (paths[0] / REPORT if is_own else Path(REPORT))
    if not is_own:
        check_new_file("--out", out, overwrite=arguments.overwrite)
    write_report(paths, out, methods)
    Console().print(f"report  {out}", soft_wrap=True, markup=False, highlight=False)


def methods_of(text: str) -> Sequence[str]:
    """The methods of maps that a text names.

    Raises:
      InputError: one is unknown, or named twice.

    Example:
      >>> methods_of("pca, tsne")
      ['pca', 'tsne']
    """
    methods = [method.strip() for method in text.split(",")]
    for method in methods:
        if method not in METHODS:
            raise InputError(f"--map: got {method!r}; {suggestion(method, METHODS)}")
    if len({*methods}) < len(methods):
        raise InputError(f"--map: got {text!r}, which names a method twice; name each once")
    return methods
