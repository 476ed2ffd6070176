"""Arguments and options that several commands have, and how a shell completes their values."""

import glob
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated

import typer

from jdgnn import files
from jdgnn.errors import InputError


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
Overwrite = Annotated[bool, typer.Option("--overwrite", help="replace existing files")]
AcceptOtherWay = Annotated[
    bool,
    typer.Option(
        "--accept-other-way",
        help="allow compiled kernels where earlier runs had none, or the reverse; the last bits change",
    ),
]


def check_new_file(option: str, file: Path, *, overwrite: bool) -> None:
    """Rejects a place that cannot take a new file, as `jdgnn.files.check_new_file`, and names the option that helps."""
    files.check_new_file(option, file, overwrite=overwrite, advice="add --overwrite to replace it")


def reject_with_resume(options: Mapping[str, object]) -> None:
    """Rejects options, given by their names, that a new run takes and a resumed one does not."""
    for option, value in options.items():
        if value:
            raise InputError(f"{option}: cannot be combined with --resume, which continues in its own directory")


def use_compilation_cache(folder: Path | None) -> None:
    """Keeps compiled programs in a directory, if one is given."""
    from jdgnn.experiment.run.compilation_cache import keep_programs

    if folder is not None:
        keep_programs(folder)
