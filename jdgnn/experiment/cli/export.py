"""`jdgnn export`: what a run has learned, as a table for other programs."""

import argparse
from pathlib import Path

from jdgnn.errors import InputError
from jdgnn.experiment.cli.help import Commands, add_command
from jdgnn.experiment.cli.options import check_new_file
from jdgnn.experiment.results.read import is_finished
from jdgnn.experiment.run.directory import CONFIG, EMBEDDINGS, seed_folders
from jdgnn.network.files import read_embeddings, write_embeddings
from jdgnn.network.files.embeddings import SUFFIXES


def add(commands: Commands) -> None:
    """Adds the command `export`."""
    export = add_command(
        commands,
        "export",
        help="write the embeddings of a run as CSV, Parquet or npz",
        description="Writes what a run has learned as a table: a row for each node, with its name or number, its class "
        "if the network has labels, and its embedding in columns e0, e1 and so on. Parquet needs pip install "
        "'jdgnn[tables]'. From Python: jdgnn.read_embeddings and jdgnn.write_embeddings.",
        examples={
            "jdgnn export runs/cora-1 embeddings.csv": "for spreadsheets, R, pandas",
            "jdgnn export runs/cora-1 embeddings.parquet": "smaller, and with types",
            "jdgnn export runs/many/seed-0 embeddings.csv": "one run of several seeds",
        },
    )
    export.add_argument("run", type=Path, metavar="DIR", help="directory of a finished run")
    export.add_argument("out", type=Path, metavar="FILE", help="a file that ends in .csv, .parquet or .npz")
    export.add_argument("--overwrite", action="store_true", help="replace the file if it exists")
    export.set_defaults(command=_export)


def _export(arguments: argparse.Namespace) -> None:
    folder, out = arguments.run, arguments.out
    if out.suffix.lower() not in SUFFIXES:
        raise InputError(f"FILE: expected a name that ends in .csv, .parquet or .npz, got {out}")
    check_new_file("FILE", out, overwrite=arguments.overwrite)
    _check_run(folder)
    found = read_embeddings(folder / EMBEDDINGS)
    write_embeddings(out, found, overwrite=arguments.overwrite)
    print(f"wrote {len(found.vectors):,} embeddings of width {found.vectors.shape[1]:,} to {out}")


def _check_run(folder: Path) -> None:
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "there is no such directory"
        raise InputError(f"DIR: {folder}: {what}; give the directory of a run")
    if not (folder / CONFIG).is_file():
        seeds = seed_folders(folder)
        if seeds:
            raise InputError(f"DIR: {folder} holds runs with several seeds; give one of them, such as {seeds[0]}")
        raise InputError(f"DIR: {folder} holds no {CONFIG}; give the directory of a run")
    if not is_finished(folder):
        raise InputError(f"DIR: {folder} is not finished; go on with it: jdgnn run --resume {folder}")
