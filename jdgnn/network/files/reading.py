"""A network from files of one's own."""

import os
from pathlib import Path

from jdgnn.checks import check_flag
from jdgnn.errors import InputError, printable
from jdgnn.network.files.archive import given_path, read_network
from jdgnn.network.files.csv_tables import SEPARATORS, read_csv
from jdgnn.network.files.parquet_tables import read_parquet
from jdgnn.network.files.tables import Columns, Table, network_of
from jdgnn.network.network import Network


def read_files(
    edges: str | os.PathLike[str] | None = None,
    nodes: str | os.PathLike[str] | None = None,
    *,
    archive: str | os.PathLike[str] | None = None,
    sender: str = "source",
    receiver: str = "target",
    link_quality: str = "quality",
    node: str = "id",
    label: str = "label",
    split: str = "split",
    undirected: bool = False,
    allow_no_edges: bool = False,
    title: str | None = None,
) -> Network:
    r"""Reads a network from two tables, of edges and of nodes, or from one `.npz` file.

    Tables are CSV (`.csv`, or `.tsv` with tabs), or Parquet (`.parquet`, which needs `pip install 'jdgnn[tables]'`).
    The table of nodes has a row for each node: its id (any text or whole number), what it measures of itself, in
    columns of numbers, and, if known, its class and its place in a split. Nodes are numbered in this order, and their
    ids are kept in `node_names`. An `.npz` file holds arrays as `from_edges` takes them, and `jdgnn.network.write`
    writes one.

    Args:
      edges: file with a row for each edge. A CSV file without a header has the columns sender, receiver and, if there
        is a third, link quality.
      nodes: file with a row for each node.
      archive: file in place of both, with the arrays `senders`, `receivers`, `features` and, if known, `labels`,
        `link_quality`, `train`, `validation`, `test`, `class_names`, `node_names` and `name`.
      sender: column of `edges` with the id of the node that sends over it.
      receiver: column of `edges` with the id of the node that receives over it.
      link_quality: column of `edges` with the probability that a message gets through; under this name it may be
        missing.
      node: column of `nodes` with its id.
      label: column of `nodes` with its class, a whole number or a text; under this name it may be missing.
      split: column of `nodes` with train, validation, test or nothing; under this name it may be missing. For several
        splits there are columns of this name with _0, _1 and so on after it.
      undirected: also add every edge in the other direction.
      allow_no_edges: accept a network of several nodes that are all isolated.
      title: what tables call the network; by default the folder that `nodes` lies in, or what `archive` says.

    Returns:
      The network.

    Raises:
      InputError: a file cannot be read, or something in it makes no sense; the message says in which line.

    Example:
      >>> import tempfile
      >>> with tempfile.TemporaryDirectory() as folder:
      ...     edges, nodes = Path(folder) / "edges.csv", Path(folder) / "nodes.csv"
      ...     _ = edges.write_text("source,target\nann,bob\nbob,cy\n")
      ...     _ = nodes.write_text("id,load,label\nann,0.1,router\nbob,0.7,router\ncy,0.2,phone\n")
      ...     network = read_files(edges, nodes, undirected=True, title="office")
      >>> network, network.node_names, network.class_names
      (Network('office': 3 nodes, 4 directed edges, 1 features, 2 classes), ('ann', 'bob', 'cy'), ('phone', 'router'))
    """
    check_flag("undirected", undirected)
    check_flag("allow_no_edges", allow_no_edges)
    columns = Columns(sender, receiver, link_quality, node, label, split)
    if archive is not None:
        _check_alone(archive, edges, nodes, columns)
        path = given_path("archive", archive)
        if path.suffix.lower() != ".npz":
            raise InputError(f"archive: got {path}, and an .npz is needed; give tables as edges and nodes")
        return read_network("archive", path, undirected=undirected, allow_no_edges=allow_no_edges, name=title)
    for argument, file in (("edges", edges), ("nodes", nodes)):
        if file is None:
            raise InputError(f"{argument}: is missing; give a table of edges and one of nodes, or an archive")
    where = given_path("nodes", nodes)
    return network_of(
        _read("edges", given_path("edges", edges), columns),
        _read("nodes", where, columns),
        columns,
        undirected=undirected,
        allow_no_edges=allow_no_edges,
        name=printable(title or where.absolute().parent.name or "network"),
    )


def _check_alone(archive: object, edges: object, nodes: object, columns: Columns) -> None:
    for argument, file in (("edges", edges), ("nodes", nodes)):
        if file is not None:
            raise InputError(f"{argument}: got {file} beside the archive {archive}, which holds all; leave one out")
    for argument, column in columns._asdict().items():
        if column != Columns._field_defaults[argument]:
            raise InputError(f"{argument}: got {column!r}, and an archive has no columns; leave it out")


def _read(argument: str, path: Path, columns: Columns) -> Table:
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        return read_parquet(argument, path)
    if suffix not in SEPARATORS:
        raise InputError(
            f"{argument}: got {path}, and a name that ends in .csv, .tsv or .parquet is needed"
            + ("; write archive = ... for an .npz" if suffix == ".npz" else "")
        )
    if argument == "nodes":
        return read_csv(argument, path, needed=(columns.node,))
    ends = (columns.sender, columns.receiver)
    is_default = ends == Columns()[:2]
    return read_csv(argument, path, needed=ends, without_header=(*ends, columns.link_quality) if is_default else ())
