"""Options that several commands have."""

import argparse
from pathlib import Path

from jdgnn import files

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
    """Refuses a place that cannot take a new file, as `jdgnn.files.check_new_file`, in words of options."""
    files.check_new_file(option, file, overwrite=overwrite, advice="add --overwrite to replace it")
