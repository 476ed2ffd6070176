"""A network as one `.npz` file."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jdgnn.checks import check_flag
from jdgnn.errors import InputError, printable, suggestion
from jdgnn.network.files.tables import PARTS
from jdgnn.network.labels import UNLABELLED
from jdgnn.network.network import Network, Splits, from_edges
from jdgnn.network.soundness import check_network
from jdgnn.npy import read_archive
from jdgnn.whole_files import whole_file

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
      InputError: the network makes no sense, or the file may not be written there.

    Example:
      >>> import tempfile
      >>> from jdgnn.network import read_files, ring
      >>> with tempfile.TemporaryDirectory() as folder:
      ...     write(Path(folder) / "ring.npz", ring(9))
      ...     read_files(archive=Path(folder) / "ring.npz")
      Network('ring': 9 nodes, 18 directed edges, 32 features, no labels)
    """
    check_network(network)
    place = checked_place("path", path, (".npz",), overwrite=overwrite)
    arrays: dict[str, NDArray[Any] | None] = {
        **{field: getattr(network, field) for field in ("senders", "receivers", "features", "labels", "link_quality")},
        **({} if network.splits is None else {part: getattr(network.splits, part) for part in PARTS}),
        **{field: np.array(getattr(network, field)) for field in TEXTS if getattr(network, field)},
    }
    with whole_file(place) as file:
        np.savez_compressed(file, allow_pickle=False, **{k: v for k, v in arrays.items() if v is not None})


def checked_place(argument: str, path: str | os.PathLike[str], suffixes: tuple[str, ...], *, overwrite: bool) -> Path:
    """Where a new file is to be; refuses a place that cannot take it, without touching it.

    Args:
      argument: what names the file, for messages.
      path: the file.
      suffixes: that say in which forms it can be written.
      overwrite: whether it may exist.

    Raises:
      InputError: it may not be written there.

    Example:
      >>> checked_place("path", "a.txt", (".csv", ".npz"), overwrite=False)
      Traceback (most recent call last):
      jdgnn.errors.InputError: path: got a.txt, and a name that ends in .csv or .npz is needed
    """
    check_flag("overwrite", overwrite)
    place = given_path(argument, path)
    if place.suffix.lower() not in suffixes:
        raise InputError(f"{argument}: got {place}, and a name that ends in {' or '.join(suffixes)} is needed")
    if place.is_dir():
        raise InputError(f"{argument}: {place} is a directory; give the name of a file")
    if not place.parent.is_dir():
        raise InputError(f"{argument}: there is no directory {place.parent}; make it, or give another place")
    if place.exists() and not overwrite:
        raise InputError(f"{argument}: {place} exists; give another name, or ask for it to be overwritten")
    return place


def given_path(argument: str, path: Any) -> Path:
    """A path that can be looked at.

    Raises:
      InputError: it is none.
    """
    if not isinstance(path, str | os.PathLike) or "\0" in str(path) or not str(path):
        raise InputError(f"{argument}: got {path!r}, and the path of a file is needed")
    return Path(path)


def read_network(argument: str, path: Path, *, undirected: bool, allow_no_edges: bool, name: str | None) -> Network:
    """Reads a network from an `.npz` file.

    Args:
      argument: what names the file, for messages.
      path: the file.
      undirected: also add every edge in the other direction.
      allow_no_edges: accept a network of several nodes that are all isolated.
      name: what tables call the network; None for what the file says, or the name of the file.

    Returns:
      The network.

    Raises:
      InputError: the file cannot be read, holds arrays that nobody would read, or they do not fit.
    """
    arrays = read_named_arrays(argument, path, ARRAYS, NEEDED)
    texts = {field: _texts(argument, path, field, arrays[field]) for field in TEXTS if field in arrays}
    try:
        return from_edges(
            arrays["senders"],
            arrays["receivers"],
            arrays["features"],
            labels=_without_doubt(arrays.get("labels")),
            splits=_splits(arrays),
            link_quality=arrays.get("link_quality"),
            undirected=undirected,
            allow_no_edges=allow_no_edges,
            name=printable(name or "".join(texts.get("name", ())) or path.stem),
            class_names=texts.get("class_names", ()),
            node_names=texts.get("node_names", ()),
            feature_names=texts.get("feature_names", ()),
            notes=texts.get("notes", ()),
        )
    except InputError as error:
        raise InputError(f"{argument}: {path}: {error}") from error


def read_named_arrays(
    argument: str, path: Path, known: tuple[str, ...], needed: tuple[str, ...]
) -> dict[str, NDArray[Any]]:
    """Reads the arrays of an `.npz` file, all of which are known.

    Args:
      argument: what names the file, for messages.
      path: the file.
      known: names that arrays may have.
      needed: those that must be there.

    Raises:
      InputError: the file cannot be read, or holds others.
    """

    def check(found: Iterable[str]) -> None:
        for name in found:
            if name not in known:
                raise InputError(
                    f"{argument}: {path} has an array {name!r}, which nothing reads; {suggestion(name, known)}"
                )
        for name in needed:
            if name not in found:
                raise InputError(f"{argument}: {path} has no array {name!r}; {', '.join(needed)} are needed")

    try:
        return read_archive(path, MOST_BYTES, check)
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"{argument}: {path} cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise InputError(
            f"{argument}: {path} is no sound .npz ({error}); write arrays of numbers or texts with numpy.savez"
        ) from error


def _without_doubt(labels: NDArray[Any] | None) -> NDArray[Any] | None:
    """Labels in which NaN, and not -1, means that there is none."""
    if labels is None or labels.dtype.kind != "i" or not (labels == UNLABELLED).any():
        return labels
    return np.where(labels == UNLABELLED, np.nan, labels)


def _texts(argument: str, path: Path, field: str, array: NDArray[Any]) -> tuple[str, ...]:
    if array.dtype.kind != "U" or array.ndim > 1:
        raise InputError(f"{argument}: {path}: {field} is {array.dtype} {array.shape}, and texts are needed")
    return tuple(np.atleast_1d(array).tolist())


def _splits(arrays: dict[str, NDArray[Any]]) -> Splits | None:
    """Masks [S, N], or [N] where there is one split; without a mask for validation nobody is in it."""
    masks = {part: np.atleast_2d(arrays[part]) for part in PARTS if part in arrays}
    if not masks:
        return None
    for part in ("train", "test"):
        if part not in masks:
            raise InputError(f"{part}: is missing, and {next(iter(masks))} is there; write both or none")
    return Splits(**{"validation": np.zeros_like(masks["train"]), **masks})
