"""A network as one `.npz` file."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from jdgnn.errors import InputError, printable, suggestion
from jdgnn.files import check_new_file, whole_file
from jdgnn.network.by_name import PARTS
from jdgnn.network.files.frames import Source
from jdgnn.network.labels import UNLABELLED
from jdgnn.network.network import Network, Splits, from_edges
from jdgnn.network.soundness import check_network
from jdgnn.npz import read_archive

MOST_BYTES = 2**31
"""Of a file, and of its arrays together."""

TEXTS = ("class_names", "node_names", "feature_names", "notes", "name")
ARRAYS = ("senders", "receivers", "features", "labels", "link_quality", *PARTS, *TEXTS)
NEEDED = ARRAYS[:3]


def write(path: str | os.PathLike[str], network: Network, *, overwrite: bool = False) -> None:
    """Writes a network to an `.npz` file, whole or not at all; `read_files(archive=path)` gives the same network.

    Args:
      path: the file, whose name ends in `.npz`. Its arrays are `senders`, `receivers`, `features` and, if known,
        `labels`, `link_quality`, `train`, `validation` and `test` [S, N], `class_names`, `node_names`, `feature_names`,
        `notes` and `name`; `numpy.load` reads them.
      network: the network.
      overwrite: whether the file may exist.

    Raises:
      InputError: the network is invalid, or the file may not be written there.

    Example:
      >>> import tempfile
      >>> from jdgnn.network import read_files, ring
      >>> with tempfile.TemporaryDirectory() as folder:
      ...     write(Path(folder) / "ring.npz", ring(9))
      ...     read_files(archive=Path(folder) / "ring.npz")
      Network('ring': 9 nodes, 18 directed edges, 32 features, no labels)
    """
    check_network(network)
    place = given_path("path", path, (".npz",))
    check_new_file("path", place, overwrite=overwrite)
    arrays = {field: getattr(network.splits if field in PARTS else network, field, None) for field in ARRAYS}
    with whole_file(place) as file:
        pack(file, arrays)


def pack(file: IO[bytes], arrays: Mapping[str, Any]) -> None:
    """Writes arrays and texts as `.npz`; what is None, or no text, is left out."""
    given = {name: value for name, value in arrays.items() if isinstance(value, np.ndarray) or value}
    np.savez_compressed(file, allow_pickle=False, **{name: np.asarray(value) for name, value in given.items()})


def given_path(argument: str, path: Any, suffixes: tuple[str, ...] = ()) -> Path:
    """A path; InputError unless it can be looked at and ends in a suffix that is known."""
    if not isinstance(path, str | os.PathLike) or "\0" in str(path) or not str(path):
        raise InputError(f"{argument}: expected the path of a file, got {path!r}")
    if suffixes and Path(path).suffix.lower() not in suffixes:
        raise InputError(f"{argument}: expected a name that ends in {' or '.join(suffixes)}, got {path}")
    return Path(path)


def read_network(argument: str, path: Path, *, undirected: bool, allow_no_edges: bool, name: str | None) -> Network:
    """Reads a network from an `.npz` file; InputError if it cannot be read, or has unknown entries.

    What tables call it is `name`, or else what the file says, or its own name; all else is as `from_edges` takes it.
    """
    found = read_named_arrays(argument, path, ARRAYS, NEEDED)
    own_name = "".join(found.pop("name", ()))
    labels = found.pop("labels", None)
    if labels is not None and labels.dtype.kind == "i":
        labels = np.where(labels == UNLABELLED, np.nan, labels)  # no doubt that -1 is no class
    masks = {part: np.atleast_2d(found.pop(part)) for part in PARTS if part in found}
    try:
        if masks and not {"train", "test"} <= masks.keys():
            raise InputError(f"expected train and test, or neither, got {', '.join(masks)}")
        return from_edges(
            **found,
            labels=labels,
            splits=Splits(**{"validation": np.zeros_like(masks["train"]), **masks}) if masks else None,
            undirected=undirected,
            allow_no_edges=allow_no_edges,
            name=printable(name or own_name or path.stem),
        )
    except InputError as error:
        raise InputError(f"{argument}: {path}: {error}") from error


def read_named_arrays(argument: str, path: Path, known: tuple[str, ...], needed: tuple[str, ...]) -> dict[str, Any]:
    """Reads the arrays of an `.npz` file; those of texts as tuples.

    InputError if it cannot be read, holds others than those that are known, or lacks one that is needed.
    """
    source = Source(argument, path)

    def check(found: Iterable[str]) -> None:
        for name in found:
            if name not in known:
                source.reject(f"has an array {name!r}, which nothing reads; {suggestion(name, known)}")
        for name in needed:
            if name not in found:
                source.reject(f"has no array {name!r}; expected {', '.join(needed)}")

    with source.reading(".npz"):
        arrays = read_archive(path, MOST_BYTES, check)
    for field in set(TEXTS) & set(arrays):
        if arrays[field].dtype.kind != "U" or arrays[field].ndim > 1:
            source.reject(f"expected texts for {field}, got {arrays[field].dtype} {arrays[field].shape}")
    return arrays | {field: tuple(np.atleast_1d(arrays[field]).tolist()) for field in TEXTS if field in arrays}
