"""A network from files of one's own."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from jdgnn.errors import InputError, printable
from jdgnn.network.columns import Missing, Roles, Text
from jdgnn.network.files.archive import given_path, read_network
from jdgnn.network.files.frames import read_records, read_table, suffix_of
from jdgnn.network.files.graphs import SUFFIXES, read_graph
from jdgnn.network.network import Network
from jdgnn.network.tables import Columns, Reading, Table, is_header_of_edges, network_of

Path_ = str | os.PathLike[str]


def read_files(
    edges: Path_ | None = None,
    nodes: Path_ | None = None,
    *,
    graph: Path_ | None = None,
    archive: Path_ | None = None,
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
    title: str | None = None,
) -> Network:
    r"""Reads a network from a table of edges and one of nodes, from one file that holds both, or from an `.npz`.

    Tables are text (`.csv`, `.tsv`, `.txt`, ...: separated by commas, semicolons with decimal commas, tabs or blanks;
    comments with `#` or `%` first; also packed, `.gz`), spreadsheets (`.xlsx`, with `pip install 'jdgnn[tables]'`) or
    Parquet. The network tells in its `notes` which columns were read as what, filled, encoded and left out.

    Args:
      edges: file with a row for each edge. Without names of columns in its first line they are called 1, 2, ...
      nodes: file with a row for each node, in whose order they are numbered; None if edges name all nodes.
      graph: file in place of both: JSON with lists `nodes` and `links`, as mesh viewers write it, or GML, GraphML, GEXF
        or Matrix Market, whose attributes are read as columns.
      archive: file in place of both: an `.npz` with the arrays that `jdgnn.network.write` writes.
      id: column of `nodes` with the id of each, any text or whole number; by default `id`, `node_id`, `node`, `name`.
      source: column of `edges` with the id of the node that sends; by default `source`, `src`, `from` and the like.
      target: column of `edges` with the id of the node that receives, likewise.
      link_quality: column of `edges` with the probability that a message gets through, by default `quality`, if it is
        there; or two, for source to target and back. Other weights are not read, which is told.
      features: columns of `nodes` that are features, by name or pattern (`wifi_*`); by default all others. Where nodes
        measure nothing, `degree`, `one` or `random`, which are computed.
      ignore: columns of `nodes` that are no features, by name or pattern.
      label: column of `nodes` with the class; by default `label`, if it is there. Nodes for which it is empty, NA, nan
        or ? (or -1 beside whole numbers from 0) have no label.
      split: column of `nodes` with train, validation, test or nothing; by default `split`, or `split_0`, `split_1` and
        so on for several splits, if they are there.
      text: what becomes of columns of text: `error`, `ignore`, or `onehot` for a column of 0 and 1 for each value.
      max_categories: columns of text with more values are left out, and so are those that differ at every node.
      missing: what becomes of missing values: `error`, `mean` (of the column), `zero`, or `indicator`, the mean and a
        further column that says where they were.
      undirected: whether links go both ways; by default what the file says (Gephi's `Type`, SNAP, KONECT), else not.
      unknown: what becomes of links to nodes that `nodes` does not have: `error`, or `drop`, which counts them.
      allow_no_edges: accept a network of several nodes that are all isolated.
      title: what tables call the network; by default the folder that the files lie in, or what `archive` says.

    Returns:
      The network. Features of text files are float64 until they are scaled, or computed with.

    Raises:
      InputError: a file cannot be read, or does not make sense; the message lists what is wrong, and in which lines.

    Example:
      >>> import tempfile
      >>> with tempfile.TemporaryDirectory() as folder:
      ...     edges, nodes = Path(folder) / "edges.csv", Path(folder) / "nodes.csv"
      ...     _ = edges.write_text("source,target\nann,bob\nbob,cy\n")
      ...     _ = nodes.write_text("id,load,model,label\nann,0.1,x,router\nbob,,y,router\ncy,0.2,x,\n")
      ...     network = read_files(edges, nodes, text="onehot", missing="mean", title="office")
      >>> network
      Network('office': 3 nodes, 2 directed edges, 3 features, 1 classes)
        ids: id; labels: label
        features: load, model (one-hot, 2 values)
        filled by the mean: load (1 of 3)
        links: source → target, none in both directions
        1 of 3 nodes have no label: they take part, and stand in no split
    """
    columns = Columns(id, source, target, link_quality, label, split)
    roles = Roles(features, ignore, text, max_categories, missing)
    _check_alone({"archive": archive, "graph": graph, "edges": edges, "nodes": nodes})
    if archive is not None:
        for given, plain in ((columns, Columns()), (roles, Roles())):
            for argument, value, default in zip(given._fields, given, plain, strict=True):
                if value != default:
                    raise InputError(f"{argument}: got {value!r}, and an archive has no columns; leave it out")
        path = given_path("archive", archive, (".npz",))
        return read_network("archive", path, undirected=bool(undirected), allow_no_edges=allow_no_edges, name=title)
    links, found, where = tables_in(edges, nodes, graph, columns)
    name = printable(title or where.absolute().parent.name or "network")
    return network_of(links, found, Reading(columns, roles, undirected, unknown, allow_no_edges, name))


def tables_in(
    edges: Path_ | None, nodes: Path_ | None, graph: Path_ | None, columns: Columns
) -> tuple[Table, Table | None, Path]:
    """The tables of edges and of nodes that files hold, and a file whose folder names them."""
    if graph is not None:
        path = given_path("graph", graph)
        if suffix_of(path) == ".json":
            return (*read_records("graph", path), path)
        if suffix_of(path) not in SUFFIXES:
            known = ", ".join((".json", *SUFFIXES))
            raise InputError(f"graph: expected a name that ends in one of {known} (or that and .gz), got {path}")
        return (*read_graph("graph", path, columns.id), path)
    if edges is None:
        raise InputError("edges: is missing; give a table of edges and one of nodes, a graph, or an archive")
    where = given_path("edges", edges)
    links = read_table("edges", where, lambda names: is_header_of_edges(columns, names))
    if nodes is None:
        return links, None, where
    where = given_path("nodes", nodes)
    return links, read_table("nodes", where, lambda names: True), where


def _check_alone(files: dict[str, Path_ | None]) -> None:
    """Rejects files beside one that holds all."""
    (whole, path), *others = [(argument, file) for argument, file in files.items() if file is not None] or [("", "")]
    if others and whole in ("archive", "graph"):
        other, file = others[0]
        raise InputError(f"{other}: got {file} beside the {whole} {path}, which holds all; leave one out")
