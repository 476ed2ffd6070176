"""The places of nodes in the picture of a network: springs within components, and components side by side.

Axes: n nodes, e links.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

ITERATIONS = 60
GAP = 0.6
"""Between components, in units of the length of a link."""


def places(num_nodes: int, sources: NDArray[np.integer], targets: NDArray[np.integer]) -> NDArray[np.float64]:
    """A place for each node [n, 2], always the same for the same links [e]."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    links = csr_array((np.ones(len(sources), np.int8), (sources, targets)), shape=(num_nodes, num_nodes))
    _, component = connected_components(links, directed=False)
    order = np.argsort(-np.bincount(component), kind="stable") if num_nodes else np.zeros(0, np.int64)
    found = np.zeros((num_nodes, 2))
    boxes = [np.flatnonzero(component == number) for number in order]
    for nodes in boxes:
        found[nodes] = _springs(links[nodes][:, nodes])
    _pack(found, boxes)
    return found


def _springs(links: Any) -> NDArray[np.float64]:
    """Places of one component [n, 2], from 0; its area grows with the number of nodes."""
    import rustworkx

    ends, count = np.transpose(links.nonzero()), links.shape[0]
    if count == 1:
        return np.zeros((1, 2))
    graph = rustworkx.PyGraph(multigraph=False)
    graph.add_nodes_from([None] * count)
    graph.add_edges_from_no_data(list(map(tuple, ends.tolist())))
    placed = rustworkx.spring_layout(graph, seed=0, num_iter=ITERATIONS)
    found = np.array([placed[node] for node in range(count)])
    found -= found.min(axis=0)
    extent = found.max() or 1.0
    return found * np.sqrt(count) / extent


def _pack(found: NDArray[np.float64], boxes: list[NDArray[np.int64]]) -> None:
    """Moves components, the largest first, onto shelves of one width."""
    sizes = [found[nodes].max(axis=0) + GAP for nodes in boxes]
    width = max([np.sqrt(1.6 * sum(size.prod() for size in sizes)), *(size[0] for size in sizes)], default=0.0)
    x = y = shelf = 0.0
    for nodes, size in zip(boxes, sizes, strict=True):
        if x and x + size[0] > width:
            x, y, shelf = 0.0, y - shelf, 0.0
        found[nodes] += (x, y - size[1])
        x, shelf = x + size[0], max(shelf, size[1])
