"""Networks from and to networkx."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jdgnn.errors import InputError
from jdgnn.network.arguments import check_name, checked_class_names, checked_features, checked_node_names
from jdgnn.network.network import Network, Splits, from_edges


def from_networkx(
    graph: Any,
    *,
    features: str | ArrayLike = "features",
    label: str = "label",
    link_quality: str = "link_quality",
    splits: Splits | None = None,
    allow_no_edges: bool = False,
    name: str | None = None,
) -> Network:
    """Makes a network of a networkx graph. Node v of the network is the v-th node of the graph, whatever its name.

    Where nodes are called anything but 0, …, N - 1 in this order, their names are kept in `node_names`. An undirected
    graph gives both directions of each edge, a directed one those it has; parallel edges of a multigraph are merged,
    keeping the best link quality.

    Args:
      graph: any networkx graph.
      features: the node attribute that holds each node's numbers, or an array [N, F0] in the order of the nodes.
      label: the node attribute that holds the class, an integer from 0 or a string (classes are then numbered in
        alphabetical order). Under its default name it may be missing: the network then has no labels.
      link_quality: the edge attribute that holds the probability that a message gets through. Under its default name
        it may be missing likewise.
      splits: which nodes probes learn from and are judged on, or None.
      allow_no_edges: accept a network of several nodes that are all isolated.
      name: what tables call this network; None for the name of the graph.

    Returns:
      The network.

    Raises:
      InputError: an attribute is missing, at some or at all nodes or edges, or a value does not fit.

    Example:
      >>> import networkx, numpy as np
      >>> from_networkx(networkx.path_graph(["sensor", "relay", "sink"]), features=np.eye(3))
      Network('network': 3 nodes, 4 directed edges, 3 features, no labels)
    """
    import networkx

    if not isinstance(graph, networkx.Graph):
        raise InputError(f"graph: got {type(graph).__name__}, and a networkx graph is needed")
    check_name("label", label)
    check_name("link_quality", link_quality)
    number = {node: v for v, node in enumerate(graph.nodes)}
    if isinstance(features, str):
        rows = _attribute(graph.nodes(data=True), features, "features", "node")
        if rows is None:
            raise InputError(
                f"features: no node has the attribute {features!r}; name the one that holds its numbers, or give an "
                "array [nodes, features]"
            )
        features = _stacked(rows, features)
    features = checked_features(features)
    if len(features) != len(number):
        raise InputError(
            f"features: got {len(features)} rows, and the graph has {len(number)} nodes; give one row per node, in "
            "the order of graph.nodes"
        )
    given_labels = _attribute(graph.nodes(data=True), label, "label", "node")
    if given_labels is None and label != "label":
        raise InputError(f"label: no node has the attribute {label!r}; name the one that holds its class")
    labels, class_names = (None, ()) if given_labels is None else _numbered(given_labels, label)
    class_names = class_names or checked_class_names("graph.graph['class_names']", graph.graph.get("class_names", ()))
    edges = [(number[u], number[v]) for u, v in graph.edges()]
    quality = _attribute(
        (((u, v), attributes) for u, v, attributes in graph.edges(data=True)), link_quality, "link_quality", "edge"
    )
    if quality is None and link_quality != "link_quality":
        raise InputError(f"link_quality: no edge has the attribute {link_quality!r}; name one from 0 to 1")
    ends = np.array(edges, dtype=np.int64).reshape(-1, 2)
    return from_edges(
        ends[:, 0],
        ends[:, 1],
        features,
        labels=labels,
        splits=splits,
        link_quality=quality,
        undirected=not graph.is_directed(),
        allow_no_edges=allow_no_edges,
        name=name or graph.name or "network",
        class_names=class_names,
        node_names=_names(graph),
    )


def _names(graph: Any) -> tuple[str, ...]:
    """What the nodes are called; nothing, where they are numbered or their names look alike as texts."""
    if "node_names" in graph.graph:
        return checked_node_names("graph.graph['node_names']", graph.graph["node_names"], len(graph))
    names = tuple(str(node) for node in graph.nodes)
    is_told = names != tuple(map(str, range(len(names)))) and len(set(names)) == len(names)
    return names if is_told else ()


def _attribute(items: Iterable[tuple[Any, Mapping]], name: str, argument: str, what: str) -> list[Any] | None:
    """Values of one attribute in order; None if nothing has it, an error if only some have it."""
    pairs = [(item, attributes) for item, attributes in items]
    missing = [item for item, attributes in pairs if name not in attributes]
    if len(missing) == len(pairs):
        return None
    if missing:
        raise InputError(
            f"{argument}: {len(missing)} of {len(pairs)} {what}s, {missing[0]!r} the first, lack the attribute "
            f"{name!r}; set it on every {what} or on none"
        )
    return [attributes[name] for _, attributes in pairs]


def _stacked(rows: list[Any], attribute: str) -> NDArray[Any]:
    try:
        return np.stack([np.atleast_1d(row) for row in rows])
    except ValueError as error:
        raise InputError(
            f"features: {attribute!r} differs in shape from node to node; give the same at each"
        ) from error


def _numbered(labels: list[Any], attribute: str) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    if all(isinstance(label, int | np.integer) and not isinstance(label, bool) for label in labels):
        return np.array(labels), ()
    if all(isinstance(label, str) for label in labels):
        names, numbers = np.unique(labels, return_inverse=True)
        return numbers, tuple(names.tolist())
    kinds = ", ".join(sorted({type(label).__name__ for label in labels}))
    raise InputError(f"label: {attribute!r} holds {kinds}, and integers from 0, or strings, at every node are needed")


def to_networkx(network: Network) -> Any:
    """Gives a network as a `networkx.DiGraph` over the nodes 0, …, N - 1; `from_networkx` is the way back.

    Args:
      network: the network; its splits have no place in the graph and stay behind.

    Returns:
      The graph: node attributes `features` and, if known, `label`; edge attribute `link_quality`, if known; graph
      attributes `class_names`, if there are labels, and `node_names`, if there are any.

    Example:
      >>> import numpy as np
      >>> to_networkx(from_edges([0, 1], [1, 2], np.eye(3))).edges
      OutEdgeView([(0, 1), (1, 2)])
    """
    import networkx

    graph = networkx.DiGraph(name=network.name)
    graph.add_nodes_from((v, {"features": row}) for v, row in enumerate(network.features))
    ends = zip(network.senders.tolist(), network.receivers.tolist(), strict=True)
    if network.link_quality is None:
        graph.add_edges_from(ends)
    else:
        graph.add_weighted_edges_from(
            ((u, v, quality) for (u, v), quality in zip(ends, network.link_quality.tolist(), strict=True)),
            weight="link_quality",
        )
    if network.node_names:
        graph.graph["node_names"] = network.node_names
    if network.labels is not None:
        networkx.set_node_attributes(graph, dict(enumerate(network.labels.tolist())), "label")
        graph.graph["class_names"] = network.class_names
    return graph
