"""Networks from and to what other libraries hold: jraph, networkx and SciPy sparse matrices.

Everywhere an edge u→v says that u sends to v. These libraries are imported when they are needed, not before.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jdgnn.errors import InputError
from jdgnn.network.arguments import as_array, check_name, checked_class_names, checked_features
from jdgnn.network.network import Network, Splits, from_edges
from jdgnn.network.soundness import check_network


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

    An undirected graph gives both directions of each edge, a directed one those it has; parallel edges of a
    multigraph are merged, keeping the best link quality.

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
    )


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
      attribute `class_names`, if there are labels.

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
    if network.labels is not None:
        networkx.set_node_attributes(graph, dict(enumerate(network.labels.tolist())), "label")
        graph.graph["class_names"] = network.class_names
    return graph


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


def as_network(thing: Any) -> Network:
    """Gives a network of whatever holds one by itself: a network, a `jraph.GraphsTuple` or a networkx graph.

    Args:
      thing: a `Network`, checked and returned as it is, or what `from_jraph` or `from_networkx` take without further
        arguments.

    Returns:
      The network.

    Raises:
      InputError: it is none of these, its conversion fails, or it is a `Network` whose fields do not fit together.

    Example:
      >>> import numpy as np
      >>> as_network(to_networkx(from_edges([0, 1], [1, 0], np.eye(2))))
      Network('network': 2 nodes, 2 directed edges, 2 features, no labels)
    """
    if isinstance(thing, Network):
        check_network(thing)
        return thing
    import jraph
    import networkx

    if isinstance(thing, jraph.GraphsTuple):
        return from_jraph(thing)
    if isinstance(thing, networkx.Graph):
        return from_networkx(thing)
    raise InputError(
        f"network: got {type(thing).__name__}, and a Network, a jraph.GraphsTuple or a networkx graph is needed; "
        "make one with from_edges (arrays), from_scipy (sparse matrix) or datasets.load (by name)"
    )
