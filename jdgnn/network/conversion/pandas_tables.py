"""Networks from and to pandas: one table of edges, one of nodes."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from jdgnn.errors import InputError
from jdgnn.network.by_name import PARTS
from jdgnn.network.columns import Missing, Roles, Text
from jdgnn.network.labels import Labels, column_of
from jdgnn.network.network import Network
from jdgnn.network.tables import Columns, Reading, Table, network_of, with_names


def from_pandas(
    edges: Any,
    nodes: Any = None,
    *,
    id: str | None = None,
    source: str | None = None,
    target: str | None = None,
    link_quality: str | Sequence[str] | None = None,
    features: str | Sequence[str] | None = None,
    ignore: str | Sequence[str] | None = None,
    label: str | None = None,
    split: str | None = None,
    text: Text = "error",
    max_categories: int = 20,
    missing: Missing = "error",
    undirected: bool | None = None,
    unknown: Literal["error", "drop"] = "error",
    allow_no_edges: bool = False,
    name: str = "network",
) -> Network:
    """Makes a network of two pandas data frames, as `read_files` makes one of files; arguments mean the same.

    The table `edges` has a row for each edge, and `nodes` one for each node, in whose order they are numbered; it is
    None if edges name all nodes. Ids are in a column (`reset_index()` makes one of an index, which is not read).
    Categorical classes keep their order. `name` is what tables call the network.

    Returns:
      The network; its `notes` say which columns were read as what.

    Raises:
      InputError: it is no data frame, or does not make sense; the message lists what is wrong, and in which rows.

    Example:
      >>> import pandas
      >>> edges = pandas.DataFrame({"source": ["a", "b"], "target": ["b", "c"]})
      >>> nodes = pandas.DataFrame({"id": ["a", "b", "c"], "load": [0.1, 0.5, 0.2]})
      >>> from_pandas(edges, nodes, undirected=True)
      Network('network': 3 nodes, 4 directed edges, 1 features, no labels)
        ids: id; labels: none
        features: load
        links: source → target, all in both directions
    """
    columns = Columns(id, source, target, link_quality, label, split)
    roles = Roles(features, ignore, text, max_categories, missing)
    return network_of(
        _table("edges", edges),
        None if nodes is None else _table("nodes", nodes),
        Reading(columns, roles, undirected, unknown, allow_no_edges, name),
    )


def _table(argument: str, frame: Any) -> Table:
    import pandas

    if not isinstance(frame, pandas.DataFrame):
        raise InputError(f"{argument}: expected a pandas data frame, got {type(frame).__name__}")
    return with_names(Table(argument, "", frame), [str(name) for name in frame.columns])


def to_pandas(network: Network) -> tuple[Any, Any]:
    """Gives a network as two pandas data frames, of edges and of nodes; `from_pandas` is the way back.

    Args:
      network: the network; its name stays behind.

    Returns:
      Edges with `source`, `target` and, if known, `quality`; nodes with `id` (its name, else its number), if known
      `label` (categorical, where classes have names; empty where a node has none) and `split`, or `split_0`, `split_1`,
      … where there are several, and the features, by their names, else `x0`, `x1`, … .

    Example:
      >>> from jdgnn.network import from_edges
      >>> edges, nodes = to_pandas(from_edges([0, 1], [1, 2], np.eye(3), node_names=("a", "b", "c")))
      >>> edges.values.tolist(), nodes.columns.tolist()
      ([['a', 'b'], ['b', 'c']], ['id', 'x0', 'x1', 'x2'])
    """
    import pandas

    names = np.array(network.node_names, object) if network.node_names else np.arange(network.num_nodes)
    edges = {"source": names[network.senders], "target": names[network.receivers]}
    if network.link_quality is not None:
        edges["quality"] = network.link_quality
    nodes: dict[str, Any] = {"id": names}
    if network.labels is not None:
        nodes["label"] = column_of(Labels(network.labels, network.class_names))
    masks = [getattr(network.splits, part) for part in PARTS] if network.splits else []
    for split, rows in enumerate(zip(*masks, strict=True)):
        name = "split" if len(masks[0]) == 1 else f"split_{split}"
        nodes[name] = np.array([None, *PARTS], object)[np.select(rows, [1, 2, 3])]
    names_are_free = not set(network.feature_names) & set(nodes) and len(set(network.feature_names)) > 0
    features = network.feature_names if names_are_free else [f"x{i}" for i in range(network.num_features)]
    nodes |= dict(zip(features, network.features.T, strict=True))
    return pandas.DataFrame(edges), pandas.DataFrame(nodes)
