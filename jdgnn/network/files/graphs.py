"""Files of graphs as tables, read by networkx and SciPy; and graphs of networkx likewise."""

import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from jdgnn.network.files.frames import Source, suffix_of
from jdgnn.network.identifiers import identifier
from jdgnn.network.tables import Table

ENDS = ("source", "target")
SUFFIXES = (".gexf", ".gml", ".graphml", ".mtx")

MOST_BYTES = 2**26
"""Of a file, unpacked: a graph of networkx takes some twenty times as much."""

MOST_NODES = 2**26
"""Of a matrix, whose few bytes can claim any number of nodes."""


def read_graph(argument: str, path: Path, id: str | None = None) -> tuple[Table, Table]:
    """Reads a file that holds a graph, by its suffix: the table of edges and that of nodes.

    Nodes are called by their attribute `id`, if it is given, else by the ids of the file; those of a matrix 1, 2, ...,
    and its entries are the column `value` of edges. InputError if the file cannot be read, or is too large.
    """
    source = Source(argument, path)
    content = source.content()
    if len(content) > MOST_BYTES:
        source.reject(f"holds {len(content):,} bytes, and at most {MOST_BYTES:,} are read; write tables, or an .npz")
    suffix = suffix_of(path)
    if suffix == ".mtx":
        return _matrix(source, content)
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content or b"\0" in content:
        source.reject("declares entities, which are not read; write plain XML in UTF-8")
    import networkx

    with source.reading(suffix):
        if suffix == ".gml":
            graph = networkx.parse_gml(content.decode("utf-8-sig").splitlines(), label="id")
        else:
            read = networkx.read_gexf if suffix == ".gexf" else networkx.read_graphml
            graph = read(io.BytesIO(content))
    names = [identifier(attributes.pop(id, None)) for _, attributes in graph.nodes(data=True)] if id else []
    return tables_of(argument, graph, str(path), names=names, id=id or "id")


def tables_of(
    argument: str,
    graph: Any,
    path: str = "",
    nodes: Iterable[Any] | None = None,
    names: Sequence[str] = (),
    id: str = "id",
) -> tuple[Table, Table]:
    """A graph of networkx as a table of edges and one of nodes, whose first columns are the ends, and the ids.

    Each attribute becomes a column. Nodes stand in the order of `nodes`, by default that of the graph, and are called
    by `names`, by default their own texts, in the column `id`.

    Example:
      >>> import networkx
      >>> edges, nodes = tables_of("graph", networkx.path_graph(["a", "b", "c"]))
      >>> edges.frame.to_numpy().tolist(), nodes.frame["id"].tolist()
      ([['a', 'b'], ['b', 'c']], ['a', 'b', 'c'])
    """
    import pandas

    order = list(graph.nodes if nodes is None else nodes)
    name = dict(zip(order, names or map(identifier, order), strict=True))
    links = [{"source": name[u], "target": name[v], **_beside(ENDS, has)} for u, v, has in graph.edges(data=True)]
    rows = [{id: name[node], **_beside((id,), graph.nodes[node])} for node in order]
    edges = pandas.DataFrame(links, columns=None if links else ENDS)
    found = pandas.DataFrame(rows, columns=None if rows else [id])
    return (
        Table(argument, path, edges, undirected=not graph.is_directed(), place="edge {}".format),
        Table(argument, path, found, place=lambda row: f"node {order[row]!r}"),
    )


def _beside(taken: Sequence[str], attributes: Mapping[Any, Any]) -> dict[str, Any]:
    """Attributes by names that none of the columns has that every row has."""
    return {f"{key} (attribute)" if key in taken else str(key): value for key, value in attributes.items()}


def _matrix(source: Source, content: bytes) -> tuple[Table, Table]:
    import pandas
    from scipy import io as scipy_io

    with source.reading("matrix"):
        rows, columns, entries, form, field, symmetry = scipy_io.mminfo(io.BytesIO(content))
        if (form, rows) != ("coordinate", columns) or field == "complex":
            source.reject(f"expected a sparse square matrix of numbers, got {form}, {field}, {rows} x {columns}")
        if rows > MOST_NODES or 3 * entries > len(content):  # the shortest entry is "1 1", and its line ends
            source.reject(f"claims {rows:,} nodes and {entries:,} entries, more than it holds or than are read")
        matrix: Any = scipy_io.mmread(io.BytesIO(content))
    both = symmetry == "symmetric"
    is_kept = matrix.row >= matrix.col if both else slice(None)  # the other half is its mirror image
    ends = {"source": matrix.row[is_kept] + 1, "target": matrix.col[is_kept] + 1}
    edges = pandas.DataFrame({**ends, "value": matrix.data[is_kept]})
    nodes = pandas.DataFrame({"id": np.arange(1, rows + 1)})
    note = f"nodes are called 1 to {rows}, as the matrix counts its rows"
    return (
        Table(source.argument, str(source.path), edges, undirected=both, place="entry {}".format),
        Table(source.argument, str(source.path), nodes, notes=(note,)),
    )
