"""Networks from and to `jraph.GraphsTuple`."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jdgnn.errors import InputError
from jdgnn.network.arguments import as_array
from jdgnn.network.network import Network, Splits, from_edges


def from_jraph(
    graphs_tuple: Any,
    *,
    labels: ArrayLike | None = None,
    splits: Splits | None = None,
    allow_no_edges: bool = False,
    name: str = "network",
    class_names: tuple[str, ...] = (),
) -> Network:
    """Makes a network of a `jraph.GraphsTuple` that holds exactly one graph.

    Several graphs in one tuple are refused, padding graphs included, as nothing tells padding from data:
    `jraph.unpad_with_graphs` and `jraph.unbatch` take them apart. `globals` are not read.

    Args:
      graphs_tuple: the graph; `nodes` is one array of features [N, F0], `edges` is None or
        `{"link_quality": array [E]}`, since nodes exchange embeddings and edges have no features.
      labels: class of each node, integers [N], or None.
      splits: which nodes probes learn from and are judged on, or None.
      allow_no_edges: accept a network of several nodes that are all isolated.
      name: what tables call this network.
      class_names: a name for each class.

    Returns:
      The network.

    Raises:
      InputError: there are several graphs, or a part is missing or does not fit.

    Example:
      >>> import jraph, numpy as np
      >>> graph = jraph.GraphsTuple(
      ...     nodes=np.eye(2), edges=None, senders=np.array([0]), receivers=np.array([1]),
      ...     globals=None, n_node=np.array([2]), n_edge=np.array([1]))
      >>> from_jraph(graph)
      Network('network': 2 nodes, 1 directed edges, 2 features, no labels)
    """
    import jraph

    if not isinstance(graphs_tuple, jraph.GraphsTuple):
        raise InputError(f"graphs_tuple: got {type(graphs_tuple).__name__}, and a jraph.GraphsTuple is needed")
    features, senders, receivers = _jraph_arrays(graphs_tuple)
    return from_edges(
        senders,
        receivers,
        features,
        labels=labels,
        splits=splits,
        link_quality=_jraph_link_quality(graphs_tuple.edges),
        allow_no_edges=allow_no_edges,
        name=name,
        class_names=class_names,
    )


def _jraph_arrays(graphs_tuple: Any) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Nodes, senders and receivers of the one graph, as long as the tuple says."""
    if isinstance(graphs_tuple.nodes, Mapping | list | tuple):
        raise InputError(
            f"graphs_tuple.nodes: got {type(graphs_tuple.nodes).__name__}, and one array [nodes, features] is needed"
        )
    part = {
        field: as_array(f"graphs_tuple.{field}", getattr(graphs_tuple, field))
        for field in ("n_node", "n_edge", "nodes", "senders", "receivers")
    }
    if part["n_node"].size != 1:
        raise InputError(
            f"graphs_tuple: got {part['n_node'].size} graphs, and one network is one graph; take it out with "
            "jraph.unpad_with_graphs or jraph.unbatch"
        )
    for field, array in (("n_node", "nodes"), ("n_edge", "senders")):
        total, held = part[field], part[array]
        if total.size != 1 or not np.issubdtype(total.dtype, np.integer):
            raise InputError(f"graphs_tuple.{field}: got {total}, and one whole number, as an array [1], is needed")
        if not held.ndim:
            raise InputError(f"graphs_tuple.{array}: got the single value {held}, and an array is needed")
        if int(total.sum()) != len(held):
            raise InputError(f"graphs_tuple.{field}: says {int(total.sum())}, and the arrays hold {len(held)}")
    return part["nodes"], part["senders"], part["receivers"]


def _jraph_link_quality(edges: Any) -> ArrayLike | None:
    if edges is None:
        return None
    if isinstance(edges, Mapping) and set(edges) == {"link_quality"}:
        return as_array("graphs_tuple.edges['link_quality']", edges["link_quality"])
    raise InputError(
        "graphs_tuple.edges: edges have no features here; write graphs_tuple._replace(edges=None), or "
        "edges={'link_quality': array [edges]} for the probability that a message gets through"
    )


def to_jraph(network: Network) -> Any:
    """Gives a network as a `jraph.GraphsTuple` of one graph; `from_jraph` is the way back.

    Args:
      network: the network; its labels, splits and names have no place in the tuple and stay behind.

    Returns:
      The graph: features in `nodes`, `edges` None or `{"link_quality": [E]}`, no globals.

    Example:
      >>> import numpy as np
      >>> to_jraph(from_edges([0, 1], [1, 0], np.eye(2))).n_node
      array([2])
    """
    import jraph

    quality = network.link_quality
    return jraph.GraphsTuple(
        nodes=network.features,
        edges=None if quality is None else {"link_quality": quality},
        senders=network.senders,
        receivers=network.receivers,
        globals=None,
        n_node=np.array([network.num_nodes]),
        n_edge=np.array([network.num_edges]),
    )
