"""`jdgnn export`: embeddings of a run as a table for other programs."""

from pathlib import Path
from typing import Annotated

import typer

from jdgnn.errors import InputError
from jdgnn.experiment.cli.options import Overwrite, check_new_file


def export(
    run: Annotated[Path, typer.Argument(metavar="DIR", help="directory of a finished run")],
    out: Annotated[Path, typer.Argument(metavar="FILE", help="a file that ends in .csv, .parquet or .npz")],
    *,
    overwrite: Overwrite = False,
) -> None:
    """Write the embeddings of a run as CSV, Parquet or npz.

    The table has one row per node: its name or number, its class if the network
    has labels, and its embedding in columns e0, e1, ... Parquet needs:
    pip install 'jdgnn[tables]'. In Python: jdgnn.read_embeddings and
    jdgnn.write_embeddings.

    Examples:
      jdgnn export runs/cora-1 embeddings.csv
          for spreadsheets, R, pandas
      jdgnn export runs/cora-1 embeddings.parquet
          a smaller file, with column types
      jdgnn export runs/many/seed-0 embeddings.csv
          one run of several seeds
    """
    from jdgnn.experiment.run.directory import EMBEDDINGS
    from jdgnn.network.files import read_embeddings, write_embeddings
    from jdgnn.network.files.embeddings import SUFFIXES

    if out.suffix.lower() not in SUFFIXES:
        raise InputError(f"FILE: expected a name that ends in .csv, .parquet or .npz, got {out}")
    check_new_file("FILE", out, overwrite=overwrite)
    _check_run(run)
    found = read_embeddings(run / EMBEDDINGS)
    write_embeddings(out, found, overwrite=overwrite)
    print(f"wrote {len(found.vectors):,} embeddings of width {found.vectors.shape[1]:,} to {out}")


def _check_run(folder: Path) -> None:
    from jdgnn.experiment.results.read import is_finished
    from jdgnn.experiment.run.directory import CONFIG, seed_folders

    if not folder.is_dir():
        reason = "is a file" if folder.exists() else "there is no such directory"
        raise InputError(f"DIR: {folder}: {reason}; give the directory of a run")
    if not (folder / CONFIG).is_file():
        seeds = seed_folders(folder)
        if seeds:
            raise InputError(f"DIR: {folder} holds runs with several seeds; give one of them, such as {seeds[0]}")
        raise InputError(f"DIR: {folder} holds no {CONFIG}; give the directory of a run")
    if not is_finished(folder):
        raise InputError(f"DIR: {folder} is not finished; resume it: jdgnn run --resume {folder}")
