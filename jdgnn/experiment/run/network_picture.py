"""What a report shows of the network itself, small whatever the network's size.

Axes: N nodes, n nodes that are drawn, e links that are drawn.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from jdgnn.network import Network
from jdgnn.network.labels import UNLABELLED

MOST_NODES, MOST_LINKS = 3000, 40_000
"""That are drawn."""

Arrays = dict[str, NDArray[Any]]


def picture_of(network: Network) -> Arrays:
    """Takes what a report needs of a network.

    Returns:
      `in_degree` and `out_degree` [N]; `component_sizes`, the largest first; `labels` [N], `class_names` and
      `node_names` [N], if there are any; and of what is drawn its nodes `drawn` [n] (all, or those closest to the
      best-connected one) and its links, as `sources` and `targets` [e] among them, one for both directions.

    Example:
      >>> from jdgnn.network.generators import ring
      >>> picture = picture_of(ring(5))
      >>> picture["component_sizes"].tolist(), picture["sources"].tolist(), picture["targets"].tolist()
      ([5], [0, 0, 1, 2, 3], [1, 4, 2, 3, 4])
    """
    from scipy.sparse.csgraph import connected_components

    links = _undirected(network)
    _, component = connected_components(links, directed=False)
    drawn, sources, targets = _drawn(links)
    labels, names = _classes(network)
    return {
        "in_degree": network.in_degree,
        "out_degree": np.bincount(network.senders, minlength=network.num_nodes).astype(np.int32),
        "component_sizes": np.sort(np.bincount(component))[::-1].astype(np.int32),
        **({} if labels is None else {"labels": labels}),
        **({"class_names": np.array(names)} if names else {}),
        **({"node_names": np.array(network.node_names)} if network.node_names else {}),
        "drawn": drawn.astype(np.int32),
        "sources": sources,
        "targets": targets,
    }


def _classes(network: Network) -> tuple[NDArray[np.int32] | None, tuple[str, ...]]:
    """Labels and names of the classes that a picture shows; nodes without a label are one more."""
    labels, names = network.labels, network.class_names
    if labels is None or (labels != UNLABELLED).all():
        return labels, names
    names = names or tuple(map(str, range(labels.max() + 1)))
    return np.where(labels == UNLABELLED, len(names), labels).astype(np.int32), (*names, "no label")


def _undirected(network: Network) -> Any:
    from scipy.sparse import csr_array

    ends, size = (network.senders, network.receivers), network.num_nodes
    links = csr_array((np.ones(network.num_edges, np.int8), ends), shape=(size, size))
    return ((links + links.T) > 0).astype(np.int8).tocsr()


def _drawn(links: Any) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32]]:
    """As many nodes as there is room for, ascending, and their links."""
    from scipy.sparse import triu
    from scipy.sparse.csgraph import breadth_first_order

    nodes = np.arange(links.shape[0])
    if len(nodes) > MOST_NODES or links.nnz > 2 * MOST_LINKS:
        hub = int(np.diff(links.indptr).argmax())
        nodes = breadth_first_order(links, hub, directed=False, return_predecessors=False)[:MOST_NODES]
    while _among(links, nodes).nnz > 2 * MOST_LINKS:
        nodes = nodes[: len(nodes) // 2]
    nodes = np.sort(nodes)
    drawn = triu(_among(links, nodes), format="csr").tocoo()
    return nodes, drawn.row.astype(np.int32), drawn.col.astype(np.int32)


def _among(links: Any, nodes: NDArray[np.int64]) -> Any:
    return links[nodes][:, nodes]
