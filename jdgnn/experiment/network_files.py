"""The files that a configuration takes its network from: where they are, and whether they are still the same."""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jdgnn.errors import InputError

PATHS = ("edges", "nodes", "archive")
"""Keys of the table `network` that name a file."""


def with_whole_paths(tables: dict[str, Any], folder: Path) -> dict[str, Any]:
    """A configuration in which the files of the network are found from everywhere.

    Args:
      tables: the configuration; it is left as it is.
      folder: what paths that are not absolute begin at.

    Returns:
      The same with absolute paths.

    Raises:
      InputError: a path cannot be written down.

    Example:
      >>> with_whole_paths({"network": {"name": "files", "archive": "a.npz"}}, Path("/data"))
      {'network': {'name': 'files', 'archive': '/data/a.npz'}}
    """
    network = tables.get("network")
    if not isinstance(network, Mapping):
        return tables
    paths = {key: _whole(key, network[key], folder) for key in PATHS if isinstance(network.get(key), str)}
    return {**tables, "network": {**network, **paths}}


def _whole(key: str, path: str, folder: Path) -> str:
    whole = os.path.abspath(folder / path)
    try:
        whole.encode()
    except UnicodeEncodeError as error:
        raise InputError(f"network.{key}: {whole!r} is not UTF-8; give the file another name, or folder") from error
    return whole


def sums_of_files(network: Any) -> dict[str, str]:
    """SHA-256 of the files that a table `network` names, by their paths."""
    paths = [getattr(network, key, None) for key in PATHS]
    return sums([path for path in paths if isinstance(path, str)])


def sums(paths: list[str]) -> dict[str, str]:
    """SHA-256 of files, by their paths."""
    return {path: hashlib.sha256(Path(path).read_bytes()).hexdigest() for path in paths}
