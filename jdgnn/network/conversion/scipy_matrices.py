"""Networks from and to SciPy sparse matrices."""

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from jdgnn.errors import InputError
from jdgnn.network.arguments import checked_features
from jdgnn.network.network import Network, Splits, from_edges


def from_scipy(
    matrix: Any,
    features: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    splits: Splits | None = None,
    link_quality: Literal["data"] | None = None,
    allow_no_edges: bool = False,
    name: str = "network",
    class_names: tuple[str, ...] = (),
) -> Network:
    """Makes a network of a SciPy sparse adjacency matrix or array of any format: A[u, v] ≠ 0 is the edge u→v.

    The matrix is taken as it is; for an undirected network it must be symmetric.

    Args:
      matrix: sparse adjacency [N, N].
      features: what each node measures [N, F0].
      labels: class of each node, integers [N], or None.
      splits: which nodes probes learn from and are judged on, or None.
      link_quality: "data" if the entries are the probabilities that a message gets through; else None.
      allow_no_edges: accept a network of several nodes that are all isolated.
      name: what tables call this network.
      class_names: a name for each class.

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
    from scipy import sparse

    is_sparse: bool = sparse.issparse(matrix)
    if not is_sparse:
        raise InputError(
            f"matrix: got {type(matrix).__name__}, and a SciPy sparse matrix is needed; wrap it in "
            "scipy.sparse.csr_array, or give an edge list to from_edges"
        )
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise InputError(f"matrix: got shape {matrix.shape}, and one row and one column per node are needed")
    features = checked_features(features)
    if matrix.shape[0] != len(features):
        raise InputError(f"matrix: describes {matrix.shape[0]} nodes, and features {len(features)}; give one row each")
    _check_quality_source(link_quality)
    if not (np.issubdtype(matrix.dtype, np.number) or matrix.dtype == bool):
        raise InputError(f"matrix: got entries of dtype {matrix.dtype}, and numbers are needed")
    canonical = sparse.csr_array(matrix, copy=True)
    canonical.sum_duplicates()
    entries = canonical.tocoo()
    bad = np.flatnonzero(~np.isfinite(entries.data))
    if len(bad):
        u, v = int(entries.row[bad[0]]), int(entries.col[bad[0]])
        raise InputError(f"matrix: the entry [{u}, {v}] is {entries.data[bad[0]]}, and finite numbers are needed")
    is_edge = entries.data != 0
    return from_edges(
        entries.row[is_edge],
        entries.col[is_edge],
        features,
        labels=labels,
        splits=splits,
        link_quality=entries.data[is_edge] if link_quality == "data" else None,
        allow_no_edges=allow_no_edges,
        name=name,
        class_names=class_names,
    )


def _check_quality_source(link_quality: Any) -> None:
    if link_quality is None or (isinstance(link_quality, str) and link_quality == "data"):
        return
    given = repr(link_quality) if isinstance(link_quality, str) else type(link_quality).__name__
    raise InputError(f"link_quality: got {given}, and 'data' (the entries of the matrix) or None is needed")


def to_scipy(network: Network) -> Any:
    """Gives the links of a network as a SciPy sparse adjacency array; `from_scipy` is the way back.

    Args:
      network: the network; its features, labels, splits and names have no place in the matrix and stay behind. A link
        of quality 0 is an entry that is stored and is 0, which `from_scipy` takes for no edge.

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
