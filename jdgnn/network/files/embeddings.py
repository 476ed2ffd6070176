"""Embeddings in files: one vector for each node, with what the node is called and its class."""

import os
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jdgnn.errors import InputError
from jdgnn.files import check_new_file, whole_file
from jdgnn.network.arguments import as_array, checked_labels, checked_node_names
from jdgnn.network.by_name import has_names
from jdgnn.network.columns import numbers_of
from jdgnn.network.files.archive import given_path, pack, read_named_arrays
from jdgnn.network.files.frames import Source, read_table
from jdgnn.network.identifiers import Identifiers, identifier
from jdgnn.network.labels import Labels, column_of, labels_of
from jdgnn.network.network import Network
from jdgnn.network.tables import Table, ids_of

SUFFIXES = (".npz", ".csv", ".parquet")
ARRAYS = ("embeddings", "node_names", "labels", "class_names")
ALSO = ("layer_widths",)
"""What runs write besides, and nothing reads here."""


class Embeddings(NamedTuple):
    """What a file of embeddings holds.

    Attributes:
      vectors: one for each node [N, W].
      node_names: what each node is called, or none; nodes are then 0, …, N - 1.
      labels: class of each node [N], or None.
      class_names: a name for each class, or none.
    """

    vectors: NDArray[np.floating]
    node_names: tuple[str, ...] = ()
    labels: NDArray[np.int32] | None = None
    class_names: tuple[str, ...] = ()


def write_embeddings(
    path: str | os.PathLike[str],
    embeddings: ArrayLike | Embeddings,
    network: Network | None = None,
    *,
    overwrite: bool = False,
) -> None:
    """Writes embeddings to a file, whole or not at all; `read_embeddings` reads them back.

    Tables have a row for each node: `node`, its name where the network has names, else its number; `label`, if known,
    the name of its class, else the class itself; and the vector, `e0`, `e1`, … . An `.npz` holds the arrays
    `embeddings` and, if known, `labels`, `class_names` and `node_names`; so do the `embeddings.npz` of runs.

    Args:
      path: a file whose name ends in `.npz`, `.csv` or `.parquet` (which needs `pip install 'jdgnn[tables]'`).
      embeddings: one vector for each node, finite or not [N, W]; or a data frame whose index names nodes, or what
        `read_embeddings` gave, whose rows are brought into the order of the network.
      network: where names and labels come from; None for what the embeddings say.
      overwrite: whether the file may exist.

    Raises:
      InputError: embeddings do not fit the network, or the file may not be written there.

    Example:
      >>> import tempfile
      >>> from pathlib import Path
      >>> from jdgnn.network import from_edges
      >>> network = from_edges([0], [1], np.eye(2), node_names=("ann", "bob"))
      >>> with tempfile.TemporaryDirectory() as folder:
      ...     write_embeddings(Path(folder) / "a.csv", np.array([[0.5, 1], [0.25, 0]]), network)
      ...     print((Path(folder) / "a.csv").read_text())
      node,e0,e1
      ann,0.5,1.0
      bob,0.25,0.0
      <BLANKLINE>
    """
    found = _of_network(embeddings, network)
    place = given_path("path", path, SUFFIXES)
    check_new_file("path", place, overwrite=overwrite)
    with whole_file(place) as file:
        if place.suffix.lower() == ".npz":
            pack(file, dict(zip(ARRAYS, found, strict=True)))
        elif place.suffix.lower() == ".csv":
            _frame(found).to_csv(file, index=False, lineterminator="\n")  # the shortest digits that read back the same
        else:
            with Source("path", place).reading("", "pyarrow"):
                import pyarrow  # noqa: F401
            _frame(found).to_parquet(file, engine="pyarrow", index=False)


def _of_network(given: Any, network: Network | None) -> Embeddings:
    """Vectors in the order of the nodes, with what is known of these."""
    names = tuple(map(identifier, given.index)) if has_names(given) else ()
    found = given if isinstance(given, Embeddings) else Embeddings(given, checked_node_names("embeddings", names))
    vectors = as_array("embeddings", found.vectors)
    if vectors.ndim != 2 or 0 in vectors.shape or not np.issubdtype(vectors.dtype, np.floating):
        raise InputError(f"embeddings: expected real numbers [nodes, width], got {vectors.dtype} {vectors.shape}")
    if network is None:
        return found._replace(vectors=vectors)
    if not isinstance(network, Network):
        raise InputError(f"network: expected a Network, or None, got {type(network).__name__}")
    if found.node_names:
        vectors = vectors[Identifiers(network.node_names, network.num_nodes).order("embeddings", found.node_names)]
    if len(vectors) != network.num_nodes:
        raise InputError(f"embeddings: expected a row for each of {network.num_nodes} nodes, got {len(vectors)}")
    return Embeddings(vectors, network.node_names, network.labels, network.class_names)


def _frame(found: Embeddings) -> Any:
    """Name, class and vector of each node."""
    import pandas

    columns: dict[str, Any] = {"node": found.node_names or np.arange(len(found.vectors))}
    if found.labels is not None:
        columns["label"] = column_of(Labels(found.labels, found.class_names))
    return pandas.DataFrame(columns | {f"e{i}": column for i, column in enumerate(found.vectors.T)})


def read_embeddings(path: str | os.PathLike[str]) -> Embeddings:
    """Reads embeddings that `write_embeddings`, `jdgnn export` or a run has written.

    Args:
      path: a file whose name ends in `.npz`, `.csv` or `.parquet`.

    Returns:
      Vectors, and the names and labels that the file knows. A CSV file says neither the order of classes (they are
      numbered in alphabetical order) nor the precision (vectors are float32).

    Raises:
      InputError: the file cannot be read, or holds something else.

    Example:
      >>> import tempfile
      >>> from pathlib import Path
      >>> with tempfile.TemporaryDirectory() as folder:
      ...     write_embeddings(Path(folder) / "a.npz", np.eye(2))
      ...     read_embeddings(Path(folder) / "a.npz").vectors.tolist()
      [[1.0, 0.0], [0.0, 1.0]]
    """
    place = given_path("path", path, SUFFIXES)
    if place.suffix.lower() != ".npz":
        return _from_table(read_table("path", place, lambda names: True))
    arrays = read_named_arrays("path", place, (*ARRAYS, *ALSO), ARRAYS[:1])
    try:
        vectors = _of_network(arrays["embeddings"], None).vectors
        node_names = checked_node_names("node_names", arrays.get("node_names", ()), len(vectors))
        class_names = arrays.get("class_names", ())
        labels = checked_labels(arrays.get("labels"), len(vectors), class_names)
    except InputError as error:
        raise InputError(f"path: {place}: {error}") from error
    return Embeddings(vectors, node_names, labels, class_names)


def _from_table(table: Table) -> Embeddings:
    problems, frame = table.problems(), table.frame
    vectors = [name for name in frame.columns if name not in ("node", "label")]
    if vectors != [f"e{i}" for i in range(len(vectors))] or not vectors or "node" not in frame.columns:
        problems.add("expected the columns node, label (may be missing), e0, e1, … in this order, and no others")
        problems.reject()
    names = ids_of(frame["node"], "node", problems)
    labels = labels_of(frame["label"], problems) if "label" in frame.columns else Labels()
    columns = [numbers_of(name, frame[name], problems) for name in vectors]
    problems.reject()
    numbers = np.stack(columns, axis=1)
    is_double = any(frame[name].dtype == np.float64 for name in vectors)
    is_double |= bool((np.abs(numbers) > np.finfo(np.float32).max).any())
    return Embeddings(
        numbers if is_double else numbers.astype(np.float32),
        () if names == tuple(map(str, range(len(names)))) else names,
        labels.numbers,
        labels.class_names,
    )
