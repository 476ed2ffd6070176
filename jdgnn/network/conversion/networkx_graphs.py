"""Networks from and to networkx."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jdgnn.errors import InputError
from jdgnn.network.arguments import checked_class_names, checked_features
from jdgnn.network.by_name import has_names, num_rows
from jdgnn.network.columns import Missing, Roles, Text
from jdgnn.network.files.graphs import tables_of
from jdgnn.network.identifiers import Identifiers, identifier, named
from jdgnn.network.labels import UNLABELLED, Labels, column_of
from jdgnn.network.network import Network
from jdgnn.network.tables import Columns, Reading, Table, network_of

NAME = "node_name"
"""Attribute with what a node is called; it goes along when nodes are relabelled, or a part of a graph is taken."""


def from_networkx(
    graph: Any,
    *,
    features: Any = None,
    ignore: str | Sequence[str] = (),
    label: str | None = None,
    split: str | None = None,
    link_quality: str | None = None,
    text: Text = "error",
    max_categories: int = 20,
    missing: Missing = "error",
    nodes: Sequence[Any] | None = None,
    splits: Any = None,
    allow_no_edges: bool = False,
    name: str | None = None,
) -> Network:
    """Makes a network of a networkx graph; its attributes are read as `read_files` reads columns.

    Nodes are numbered in the order of the graph; where they are called 0, …, N - 1 in another order, by these numbers.
    Their names, or what their attribute `node_name` says (`to_networkx` writes it), are kept in `node_names`. An
    undirected graph gives both directions of each edge, a directed one those it has; parallel edges of a multigraph are
    merged, keeping the best link quality.

    Args:
      graph: any networkx graph.
      features: attributes of nodes that are features, by name or pattern; or an array [N, F0] with a row for each node,
        or a data frame whose index names them; or `degree`, `one` or `random`, which are computed. By default the
        attribute `features`, a list of numbers at each node, or else all attributes that are numbers.
      ignore: attributes of nodes that are no features, by name or pattern.
      label: attribute of nodes with the class; by default `label`, unless it holds a name for each node. Nodes without
        it have no label.
      split: attribute of nodes with train, validation, test or nothing; by default `split`.
      link_quality: attribute of edges with the probability that a message gets through; by default `link_quality`, if
        it is there. Other attributes of edges, such as weights, are not read, which is told.
      text: what becomes of attributes of text, as `read_files` takes it.
      max_categories: of which those with more values are left out.
      missing: what becomes of missing values, likewise.
      nodes: the nodes in the order in which they are numbered, and in which rows of arrays stand.
      splits: as `from_edges` takes them; None for what `split` says.
      allow_no_edges: as `from_edges` takes it.
      name: likewise; None for the name of the graph.

    Returns:
      The network; its `notes` say which attributes were read as what.

    Raises:
      InputError: attributes are missing or do not fit, or nobody can tell which row of an array is whose: nodes that
        are numbers stand in another order than theirs, and `nodes` says nothing.

    Example:
      >>> import networkx, numpy as np
      >>> from_networkx(networkx.path_graph(["sensor", "relay", "sink"]), features=np.eye(3))
      Network('network': 3 nodes, 4 directed edges, 3 features, no labels)
        ids: id; labels: none
        features: rows were taken in the order of graph.nodes: 'sensor', 'relay', 'sink'
        links: source → target, all in both directions
    """
    import networkx

    if not isinstance(graph, networkx.Graph):
        raise InputError(f"graph: expected a networkx graph, got {type(graph).__name__}")
    order, names = _order(graph, nodes)
    edges, table = tables_of("graph", graph, "", order, names)
    if NAME in table.frame and tuple(map(identifier, table.frame[NAME])) == names:
        table = table._replace(frame=table.frame.drop(columns=NAME))
    _with_class_names(graph, table.frame, label or "label")
    given = _vectors(table, features) if _are_names(features) else features
    by_row = {"features": None if _are_names(features) else features, "splits": splits}
    notes = _order_told(names, by_row) if nodes is None else ()
    if nodes is None and order != list(graph.nodes):
        notes += (f"nodes are numbered as they are called, 0 to {len(order) - 1}, and not in the order of the graph",)
    table = table._replace(notes=notes)
    if given is not None and (count := num_rows(given) or len(checked_features(given))) != len(order):
        raise InputError(f"features: expected a row for each of {len(order)} nodes, got {count}")
    if link_quality is None and "link_quality" in edges.frame:
        link_quality = "link_quality"
    columns = Columns("id", "source", "target", link_quality, label, split)
    roles = Roles(None if given is not None else features, ignore, text, max_categories, missing)
    reading = Reading(columns, roles, None, "error", allow_no_edges, name or graph.name or "network")
    return network_of(edges, table, reading, given, splits)


def _order(graph: Any, nodes: Sequence[Any] | None) -> tuple[list[Any], tuple[str, ...]]:
    """The nodes in the order in which they are numbered, and what they are called."""
    own = list(graph.nodes)
    names = _names(graph, own)
    if nodes is not None:
        places = np.argsort(Identifiers(names, len(own)).order("nodes", nodes)).tolist()
    elif set(names) == set(map(str, range(len(own)))):
        places = np.argsort(list(map(int, names))).tolist()
    else:
        return own, names
    return [own[place] for place in places], tuple(names[place] for place in places)


def _names(graph: Any, nodes: list[Any]) -> tuple[str, ...]:
    """What nodes are called: by themselves, or by an attribute that differs at all of them, as `to_networkx` writes."""
    told = [identifier(graph.nodes[node].get(NAME)) for node in nodes]
    return tuple(told if all(told) and len(set(told)) == len(told) else map(identifier, nodes))


def _are_names(features: Any) -> bool:
    """Whether these are names of attributes, or none."""
    if features is None or isinstance(features, str):
        return True
    return isinstance(features, list | tuple) and all(isinstance(one, str) for one in features)


def _order_told(names: Sequence[str], given: Mapping[str, Any]) -> tuple[str, ...]:
    """What was taken in the order of the graph; rejected where this is probably not that of the rows."""
    by_row = [
        argument
        for argument, values in given.items()
        if not (values is None or has_names(values) or isinstance(values, Mapping))
    ]
    numbers = list(map(int, names)) if all(name.removeprefix("-").isdecimal() for name in names) else []
    if by_row and numbers != sorted(numbers):
        raise InputError(
            f"{by_row[0]}: expected nodes=[...], the nodes in the order of its rows, since the nodes of the graph are "
            f"numbers in another order: {named(numbers, 5)}; write nodes=sorted(graph), or nodes=list(graph) for that"
        )
    is_told = numbers != list(range(len(names)))
    return tuple(f"{one}: rows were taken in the order of graph.nodes: {named(names, 3)}" for one in by_row if is_told)


def _vectors(table: Table, attribute: Any) -> NDArray[Any] | None:
    """Features that stand as lists of numbers in one attribute; None if it holds single values, or is none."""
    attribute = "features" if attribute is None else attribute
    cells = table.frame[attribute].tolist() if isinstance(attribute, str) and attribute in table.frame else []
    shapes = [np.shape(cell) for cell in cells]
    if not any(shapes):
        return None
    wanted, problems = Counter(shapes).most_common(1)[0][0], table.problems()
    bad = [row for row, shape in enumerate(shapes) if shape != wanted]
    told = f"expected numbers of shape {wanted}, as most nodes have"
    problems.cells(attribute, [shape or "no list" for shape in shapes], bad, told)
    problems.reject()
    return np.stack(cells)


def _with_class_names(graph: Any, frame: Any, label: str) -> None:
    """Makes the labels categories where the graph names its classes, as `to_networkx` writes them."""
    names = checked_class_names("graph.graph['class_names']", graph.graph.get("class_names", ()))
    if names and label in frame and frame[label].dtype.kind in "if":
        codes = frame[label].fillna(UNLABELLED).to_numpy(np.int32)
        if codes.max() >= len(names):
            raise InputError(f"label: expected classes below {len(names)}, which have a name, got {codes.max()}")
        frame[label] = column_of(Labels(codes, names))


def to_networkx(network: Network) -> Any:
    """Gives a network as a `networkx.DiGraph` over the nodes 0, …, N - 1; `from_networkx` is the way back.

    Args:
      network: the network; its splits have no place in the graph and stay behind.

    Returns:
      The graph: node attributes `features` and, if known, `label` and `node_name`; edge attribute `link_quality`, if
      known; graph attribute `class_names`, if there are labels.

    Example:
      >>> from jdgnn.network import from_edges
      >>> to_networkx(from_edges([0, 1], [1, 2], np.eye(3))).edges
      OutEdgeView([(0, 1), (1, 2)])
    """
    import networkx

    graph = networkx.DiGraph(name=network.name)
    graph.add_nodes_from((v, {"features": row}) for v, row in enumerate(network.features))
    ends = list(zip(network.senders.tolist(), network.receivers.tolist(), strict=True))
    graph.add_edges_from(ends)
    if network.link_quality is not None:
        quality = dict(zip(ends, network.link_quality.tolist(), strict=True))
        networkx.set_edge_attributes(graph, quality, "link_quality")
    networkx.set_node_attributes(graph, dict(enumerate(network.node_names)), NAME)
    if network.labels is not None:
        networkx.set_node_attributes(graph, dict(enumerate(network.labels.tolist())), "label")
        graph.graph["class_names"] = network.class_names
    return graph
