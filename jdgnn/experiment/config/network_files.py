"""The files that a configuration names: where they are, and whether they are still the same."""

import functools
import hashlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from jdgnn.errors import InputError

NETWORK_FILES = ("network.edges", "network.nodes", "network.graph", "network.archive")
"""Keys that name a file of the network."""

NODE_FILES = (
    "availability.presence.path",
    *(f"{kind}.link.partition.groups" for kind in ("publish", "push", "gossip")),
)
"""Keys that name a file that says something of each node: traces, and sides of a partition."""


def with_whole_paths(tables: dict[str, Any], folder: Path) -> dict[str, Any]:
    """A configuration whose files are found from everywhere.

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
    for key in NETWORK_FILES + NODE_FILES:
        tables = _changed(tables, key.split("."), functools.partial(_whole, key, folder))
    return tables


def _changed(value: Any, keys: list[str], change: Callable[[str], str]) -> Any:
    """A table in which the text that these keys lead to, through lists too, is changed."""
    if isinstance(value, list):
        return [_changed(one, keys, change) for one in value]
    if not keys:
        return change(value) if isinstance(value, str) else value
    if not isinstance(value, Mapping) or keys[0] not in value:
        return value
    return {**value, keys[0]: _changed(value[keys[0]], keys[1:], change)}


def _whole(key: str, folder: Path, path: str) -> str:
    whole = os.path.abspath(folder / path)
    try:
        whole.encode()
    except UnicodeEncodeError as error:
        raise InputError(f"{key}: {whole!r} is not UTF-8; give the file another name, or folder") from error
    return whole


def sums_of_files(config: BaseModel, keys: tuple[str, ...]) -> dict[str, str]:
    """SHA-256 of the files that a configuration names under these keys, by their paths."""
    tables = config.model_dump(exclude_none=True, serialize_as_any=True)
    paths = [path for key in keys for path in _texts(tables, key.split("."))]
    return {path: hashlib.sha256(Path(path).read_bytes()).hexdigest() for path in paths}


def _texts(value: Any, keys: list[str]) -> list[str]:
    """The texts that these keys lead to."""
    found: list[str] = []

    def note(text: str) -> str:
        found.append(text)
        return text

    _changed(value, keys, note)
    return found
