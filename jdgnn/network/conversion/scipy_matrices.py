"""Networks from and to SciPy sparse matrices."""

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jdgnn.errors import InputError
from jdgnn.network.arguments import checked_features
from jdgnn.network.by_name import num_rows
from jdgnn.network.network import Network, from_edges
from jdgnn.network.weights import unused_weights


def from_scipy(
    matrix: Any,
    features: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    splits: Any = None,
    link_quality: Literal["data"] | None = None,
    allow_no_edges: bool = False,
    name: str = "network",
    class_names: tuple[str, ...] = (),
    node_names: tuple[str, ...] = (),
) -> Network:
    """Makes a network of a SciPy sparse adjacency matrix or array of any format: an entry at [u, v] is the edge u→v.

    The matrix is taken as it is; for an undirected network it must be symmetric. Every entry that is stored is an edge,
    also one that is 0; only where a format stores zeros to fill up its blocks or diagonals (BSR, DIA) are they none. Of
    entries at the same place the best link quality stays, as in all readers.

    Args:
      matrix: sparse adjacency [N, N].
      features: what each node measures [N, F0]; rows of a data frame whose index names nodes go by name.
      labels: class of each node [N], as `from_edges` takes them.
      splits: likewise.
      link_quality: "data" if the entries are the probabilities that a message gets through; None if they are not, so
        that they are ignored, which is told if they differ.
      allow_no_edges: as `from_edges` takes it, and so are all others.
      name: what tables call this network.
      class_names: a name for each class.
      node_names: what the node of each row is called; none if it is called by its number.

    Returns:
      The network.

    Raises:
      InputError: the matrix is not sparse, not square or not finite, or a value does not fit.

    Example:
      >>> import numpy as np
      >>> from scipy import sparse
      >>> from_scipy(sparse.csr_array([[0, 1, 0], [0, 0, 1], [0, 0, 0]]), np.eye(3))
      Network('network': 3 nodes, 2 directed edges, 3 features, no labels)
    """
    if link_quality is not None and not (isinstance(link_quality, str) and link_quality == "data"):
        raise InputError(f"link_quality: expected 'data' (the entries of the matrix) or None, got {link_quality!r}")
    senders, receivers, weights = entries_of(matrix)
    num_nodes = num_rows(features) or len(checked_features(features))
    if num_nodes != matrix.shape[0]:
        raise InputError(f"matrix: describes {matrix.shape[0]} nodes, and features {num_nodes}; give one row each")
    return from_edges(
        senders,
        receivers,
        features,
        labels=labels,
        splits=splits,
        link_quality=weights if link_quality == "data" else None,
        allow_no_edges=allow_no_edges,
        name=name,
        class_names=class_names,
        node_names=node_names,
        notes=() if link_quality == "data" else unused_weights({"data": weights}),
    )


def entries_of(matrix: Any) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Row, column and value of each entry that is stored, [E] each.

    Raises:
      InputError: it is no square sparse matrix of finite numbers.
    """
    from scipy import sparse

    is_sparse: bool = sparse.issparse(matrix)
    if not is_sparse:
        raise InputError(
            f"matrix: expected a SciPy sparse matrix, got {type(matrix).__name__}; wrap it in "
            "scipy.sparse.csr_array, or give an edge list to from_edges"
        )
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise InputError(f"matrix: expected one row and one column for each node, got shape {matrix.shape}")
    if not (np.issubdtype(matrix.dtype, np.number) or matrix.dtype == bool):
        raise InputError(f"matrix: expected numbers, got entries of dtype {matrix.dtype}")
    entries = matrix.tocoo()
    bad = np.flatnonzero(~np.isfinite(entries.data))
    if len(bad):
        u, v = int(entries.row[bad[0]]), int(entries.col[bad[0]])
        raise InputError(f"matrix: expected finite numbers, got {entries.data[bad[0]]} at [{u}, {v}]")
    is_edge = entries.data != 0 if matrix.format in ("bsr", "dia") else slice(None)  # their zeros fill up
    return entries.row[is_edge], entries.col[is_edge], entries.data[is_edge]


def to_scipy(network: Network) -> Any:
    """Gives the links of a network as a SciPy sparse adjacency array; `from_scipy` is the way back.

    Args:
      network: the network; its features, labels, splits and names have no place in the matrix and stay behind. A link
        of quality 0 is an entry that is stored and is 0.

    Returns:
      A `scipy.sparse.csr_array` [N, N] of float32: at [u, v] the quality of the edge u→v, or 1 if none is known.

    Example:
      >>> import numpy as np
      >>> to_scipy(from_edges([0, 1], [1, 2], np.eye(3))).toarray().tolist()
      [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]]
    """
    from scipy import sparse

    entries = np.ones(network.num_edges, np.float32) if network.link_quality is None else network.link_quality
    shape = (network.num_nodes, network.num_nodes)
    return sparse.coo_array((entries, (network.senders, network.receivers)), shape=shape).tocsr()
