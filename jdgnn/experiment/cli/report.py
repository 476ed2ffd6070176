"""`jdgnn report`: one page about runs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from jdgnn.errors import InputError, suggestion
from jdgnn.experiment.cli.options import Overwrite, check_new_file


def report(
    directories: Annotated[
        list[Path], typer.Argument(metavar="DIR", help="directory of a run, with or without --seeds")
    ],
    *,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="the page (default: report.html, in DIR if there is one DIR)")
    ] = None,
    map: Annotated[
        str, typer.Option(metavar="METHODS", help="maps to two dimensions: pca, tsne, umap, or several with commas")
    ] = "pca",
    overwrite: Overwrite = False,
) -> None:
    """Write a page with curves, maps, messages and speed.

    The page describes one run, finished or not, or compares several. It is
    self-contained: it can be sent, kept, and opened offline.

    Examples:
      jdgnn report runs/cora
          regenerate runs/cora/report.html, also while the run continues
      jdgnn report runs/a runs/b --out both.html
          two runs, or two configurations with several seeds each
      jdgnn report runs/cora --map pca,tsne
          with a second map to choose; umap needs pip install 'jdgnn[umap]'
    """
    from jdgnn.experiment.report.making import write_report
    from jdgnn.experiment.run.directory import REPORT

    methods = methods_of(map)
    is_own = out is None and len(directories) == 1
    if overwrite and is_own:
        raise InputError(f"--overwrite: expected --out FILE, got none; {directories[0] / REPORT} is replaced anyway")
    out = out or (directories[0] / REPORT if is_own else Path(REPORT))
    if not is_own:
        check_new_file("--out", out, overwrite=overwrite)
    write_report(directories, out, methods)
    print(f"report  {out}")


def methods_of(text: str) -> Sequence[str]:
    """The mapping methods that a text names.

    Raises:
      InputError: one is unknown, or named twice.

    Example:
      >>> methods_of("pca, tsne")
      ['pca', 'tsne']
    """
    from jdgnn.evaluation.maps import METHODS

    methods = [method.strip() for method in text.split(",")]
    for method in methods:
        if method not in METHODS:
            raise InputError(f"--map: got {method!r}; {suggestion(method, METHODS)}")
    if len({*methods}) < len(methods):
        raise InputError(f"--map: got {text!r}, which names a method twice; name each once")
    return methods
