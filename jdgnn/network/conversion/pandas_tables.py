"""Networks from and to pandas: one table of edges, one of nodes."""

from typing import Any

import numpy as np

from jdgnn.checks import check_flag
from jdgnn.errors import InputError
from jdgnn.network.arguments import check_name
from jdgnn.network.files.tables import PARTS, Categories, Column, Columns, Table, network_of
from jdgnn.network.network import Network


def from_pandas(
    edges: Any,
    nodes: Any,
    *,
    sender: str = "source",
    receiver: str = "target",
    link_quality: str = "quality",
    node: str = "id",
    label: str = "label",
    split: str = "split",
    undirected: bool = False,
    allow_no_edges: bool = False,
    name: str = "network",
) -> Network:
    """Makes a network of two pandas data frames, with the columns that `read_files` wants of files.

    Args:
      edges: a row for each edge: who sends, who receives and, if known, the probability that a message gets through.
      nodes: a row for each node: its id and its features, and, if known, its class and its place in a split. Nodes are
        numbered in this order; the index is not read. A categorical class keeps the order of its categories.
      sender: column of `edges` with the id of the node that sends over it.
      receiver: column of `edges` with the id of the node that receives over it.
      link_quality: column of `edges`; under this name it may be missing.
      node: column of `nodes` with its id.
      label: column of `nodes` with its class; under this name it may be missing.
      split: column of `nodes` with train, validation, test or nothing; under this name it may be missing. For several
        splits there are columns of this name with _0, _1 and so on after it.
      undirected: also add every edge in the other direction.
      allow_no_edges: accept a network of several nodes that are all isolated.
      name: what tables call this network.

    Returns:
      The network.

    Raises:
      InputError: it is no data frame, a column is missing or nobody would read it, or a value makes no sense.

    Example:
      >>> import pandas
      >>> edges = pandas.DataFrame({"source": ["a", "b"], "target": ["b", "c"]})
      >>> nodes = pandas.DataFrame({"id": ["a", "b", "c"], "load": [0.1, 0.5, 0.2]})
      >>> from_pandas(edges, nodes, undirected=True)
      Network('network': 3 nodes, 4 directed edges, 1 features, no labels)
    """
    check_flag("undirected", undirected)
    check_flag("allow_no_edges", allow_no_edges)
    check_name("name", name)
    return network_of(
        _table("edges", edges),
        _table("nodes", nodes),
        Columns(sender, receiver, link_quality, node, label, split),
        undirected=undirected,
        allow_no_edges=allow_no_edges,
        name=name,
    )


def _table(argument: str, frame: Any) -> Table:
    import pandas

    if not isinstance(frame, pandas.DataFrame):
        raise InputError(f"{argument}: got {type(frame).__name__}, and a pandas data frame is needed")
    if not frame.columns.is_unique:
        raise InputError(
            f"{argument}: has the column {frame.columns[frame.columns.duplicated()][0]!r} twice; mend that"
        )
    return Table(argument, "", {str(name): _column(pandas, frame[name]) for name in frame.columns})


def _column(pandas: Any, series: Any) -> Column:
    if isinstance(series.dtype, pandas.CategoricalDtype):
        return Categories(series.cat.codes.to_numpy(np.int64), tuple(map(str, series.cat.categories)))
    is_number = isinstance(series.dtype, np.dtype) and series.dtype.kind in "biuf"
    return series.to_numpy() if is_number else series.tolist()


def to_pandas(network: Network) -> tuple[Any, Any]:
    """Gives a network as two pandas data frames, of edges and of nodes; `from_pandas` is the way back.

    Args:
      network: the network; its name stays behind.

    Returns:
      Edges with `source`, `target` and, if known, `quality`; nodes with `id` (its name, else its number), if known
      `label` (categorical, where classes have names) and `split`, or `split_0`, `split_1`, … where there are several,
      and the features `x0`, `x1`, … .

    Raises:
      InputError: pandas is not installed.

    Example:
      >>> from jdgnn.network import from_edges
      >>> edges, nodes = to_pandas(from_edges([0, 1], [1, 2], np.eye(3), node_names=("a", "b", "c")))
      >>> edges.values.tolist(), nodes.columns.tolist()
      ([['a', 'b'], ['b', 'c']], ['id', 'x0', 'x1', 'x2'])
    """
    try:
        import pandas
    except ImportError as error:
        raise InputError("to_pandas: pandas is not installed; write pip install 'jdgnn[tables]'") from error

    names = np.array(network.node_names, object) if network.node_names else np.arange(network.num_nodes)
    edges = {"source": names[network.senders], "target": names[network.receivers]}
    if network.link_quality is not None:
        edges["quality"] = network.link_quality
    nodes: dict[str, Any] = {"id": names}
    if network.labels is not None:
        nodes["label"] = network.labels
        if network.class_names:
            nodes["label"] = pandas.Categorical.from_codes(
                network.labels.tolist(), pandas.Index(list(network.class_names))
            )
    nodes |= _split_columns(network) | {f"x{i}": column for i, column in enumerate(network.features.T)}
    return pandas.DataFrame(edges), pandas.DataFrame(nodes)


def _split_columns(network: Network) -> dict[str, Any]:
    if network.splits is None:
        return {}
    number = network.splits.num_splits
    columns = {}
    for split in range(number):
        column = np.full(network.num_nodes, None, object)
        for part in PARTS:
            column[getattr(network.splits, part)[split]] = part
        columns["split" if number == 1 else f"split_{split}"] = column
    return columns
