"""Networks from and to `jraph.GraphsTuple`."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jdgnn.errors import InputError
from jdgnn.network.arguments import as_array, as_column, check_name
from jdgnn.network.network import Network, from_edges
from jdgnn.network.weights import unused_weights


def from_jraph(
    graphs_tuple: Any,
    *,
    labels: ArrayLike | None = None,
    splits: Any = None,
    link_quality: str = "link_quality",
    allow_no_edges: bool = False,
    name: str = "network",
    class_names: tuple[str, ...] = (),
    node_names: tuple[str, ...] = (),
) -> Network:
    """Makes a network of a `jraph.GraphsTuple` that holds exactly one graph.

    Several graphs in one tuple are rejected, padding graphs included, as nothing tells padding from data:
    `jraph.unpad_with_graphs` and `jraph.unbatch` take them apart. `globals` are not read.

    Args:
      graphs_tuple: the graph; `nodes` is one array of features [N, F0]. `edges` are None, an array or a dict of arrays;
        but for the link quality they are ignored, which is told.
      labels: class of each node [N], as `from_edges` takes them.
      splits: likewise.
      link_quality: key of `edges` with the probability that a message gets through, [E] or [E, 1], or "edges" if they
        are one array; under its default name it may be missing.
      allow_no_edges: as `from_edges` takes it, and so are all others.
      name: what tables call this network.
      class_names: a name for each class.
      node_names: what each node is called; none if it is called by its number.

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
        raise InputError(f"graphs_tuple: expected a jraph.GraphsTuple, got {type(graphs_tuple).__name__}")
    check_name("link_quality", link_quality)
    features, senders, receivers = _jraph_arrays(graphs_tuple)
    quality, notes = _quality(graphs_tuple.edges, link_quality)
    return from_edges(
        senders,
        receivers,
        features,
        labels=labels,
        splits=splits,
        link_quality=quality,
        allow_no_edges=allow_no_edges,
        name=name,
        class_names=class_names,
        node_names=node_names,
        notes=notes,
    )


def _jraph_arrays(graphs_tuple: Any) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Nodes, senders and receivers of the one graph, as long as the tuple says."""
    fields = ("n_node", "n_edge", "nodes", "senders", "receivers")
    part = {field: as_array(f"graphs_tuple.{field}", getattr(graphs_tuple, field)) for field in fields}
    if part["n_node"].size != 1:
        raise InputError(
            f"graphs_tuple: got {part['n_node'].size} graphs, and one network is one graph; take it out with "
            "jraph.unpad_with_graphs or jraph.unbatch"
        )
    for field, array in (("n_node", "nodes"), ("n_edge", "senders")):
        if part[field].ravel().tolist() != list(part[array].shape[:1]):
            raise InputError(f"graphs_tuple.{field}: says {part[field]}, and {array} has shape {part[array].shape}")
    return part["nodes"], part["senders"], part["receivers"]


def _quality(edges: Any, link_quality: str) -> tuple[NDArray[Any] | None, tuple[str, ...]]:
    """Link quality [E], if it is there, and what to tell of everything else."""
    arrays = {} if edges is None else edges if isinstance(edges, Mapping) else {"edges": edges}
    found = {str(key): as_array(f"graphs_tuple.edges[{key!r}]", values) for key, values in arrays.items()}
    quality = found.pop(link_quality, None)
    if quality is None and link_quality != "link_quality":
        raise InputError(
            f"link_quality: expected a key of graphs_tuple.edges ({', '.join(map(repr, found))}), got {link_quality!r}"
        )
    return None if quality is None else as_column(quality), unused_weights(found)


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
