"""Arguments and options that several commands have, and how a shell completes their values."""

import glob
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from jdgnn import files


def configurations(incomplete: str) -> Iterator[str]:
    """What a shell offers for a configuration: bundled ones, and TOML files."""
    from jdgnn.experiment.config.shipped import shipped

    yield from (name for name in shipped() if name.startswith(incomplete))
    yield from glob.iglob(f"{glob.escape(incomplete)}*.toml")


Config = Annotated[
    Path | None,
    typer.Argument(
        metavar="CONFIG", help="a TOML file, or the name of a bundled configuration", autocompletion=configurations
    ),
]
DataRoot = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="directory with one folder per data set (default: $JDGNN_DATA; if unset, data sets are downloaded into "
        "the cache)",
    ),
]
CompilationCache = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="keep compiled programs in DIR, so that later runs of the same kind start faster"),
]


def check_new_file(option: str, file: Path, *, overwrite: bool) -> None:
    """Rejects a place that cannot take a new file, as `jdgnn.files.check_new_file`, and names the option that helps."""
    files.check_new_file(option, file, overwrite=overwrite, advice="add --overwrite to replace it")
