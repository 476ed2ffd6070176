"""Options that several commands have."""

import argparse
from pathlib import Path

from jdgnn.errors import InputError

CONFIG_HELP = "a TOML file, or the name of one that comes with jdgnn (jdgnn configs lists them)"


def add_data_root(parser: argparse.ArgumentParser) -> None:
    """Adds `--data-root`."""
    parser.add_argument(
        "--data-root",
        type=Path,
        metavar="DIR",
        help="directory with a folder for each data set (default: $JDGNN_DATA, else a download into the cache)",
    )


def check_new_file(option: str, file: Path, *, overwrite: bool) -> None:
    """Refuses a place that cannot take a new file, without touching it.

    Args:
      option: that names the file.
      file: to be written.
      overwrite: whether it may exist.

    Raises:
      InputError: it may not be written there.

    Example:
      >>> check_new_file("--json", Path("no folder/a.json"), overwrite=False)
      Traceback (most recent call last):
      jdgnn.errors.InputError: --json: there is no directory no folder; make it, or give another place
    """
    if file.is_dir():
        raise InputError(f"{option}: {file} is a directory; give the name of a file")
    if not file.parent.is_dir():
        raise InputError(f"{option}: there is no directory {file.parent}; make it, or give another place")
    if file.exists() and not overwrite:
        raise InputError(f"{option}: {file} exists; give another name, or add --overwrite to replace it")
