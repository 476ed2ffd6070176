"""Files of graphs, each read as what networkx and SciPy write of the same graph."""

import gzip
from pathlib import Path
from typing import Any

import networkx
import numpy as np
import pytest
from scipy import io, sparse

from jdgnn.errors import InputError
from jdgnn.network import Network, read_files

WRITERS: dict[str, Any] = {
    "gexf": networkx.write_gexf,
    "gml": networkx.write_gml,
    "graphml": networkx.write_graphml,
}


def office(*, directed: bool = False) -> networkx.Graph:
    """Four nodes with names, display names, numbers, texts and classes, and three links with qualities."""
    graph = networkx.DiGraph() if directed else networkx.Graph()
    for number, (node, name) in enumerate([("n3", "Ann"), ("n1", "B\u00f6b"), ("n2", "Cy"), ("n0", "Di")]):
        graph.add_node(node, display=name, load=0.1 * number, kind="ab"[number % 2], group=["x", "y"][number // 2])
    for u, v, quality in (("n3", "n1", 0.5), ("n1", "n2", 0.0), ("n2", "n0", 1.0)):
        graph.add_edge(u, v, tq=quality, kind="wifi")
    return graph


def written(folder: Path, suffix: str, graph: Any, *, packed: bool = False) -> Path:
    path = folder / f"graph.{suffix}"
    WRITERS[suffix](graph, path)
    if packed:
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path = path.with_name(f"{path.name}.gz")
    return path


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("suffix", WRITERS)
def test_a_graph_is_read_with_its_attributes(suffix: str, directed: bool, packed: bool, tmp_path: Path) -> None:
    path = written(tmp_path, suffix, office(directed=directed), packed=packed)
    ids = "label" if suffix == "gml" else None  # GML calls nodes by numbers, and writes names as labels
    network = read_files(
        graph=path,
        id=ids,
        label="group",
        link_quality="tq",
        text="onehot",
        ignore="display",
    )
    assert network.node_names == ("n3", "n1", "n2", "n0")
    assert network.feature_names == ("load", "kind=a", "kind=b")
    np.testing.assert_array_equal(network.features[:, 0], 0.1 * np.arange(4))
    assert network.labels is not None
    assert network.labels.tolist() == [0, 0, 1, 1]
    assert network.class_names == ("x", "y")
    assert network.num_edges == (3 if directed else 6)
    assert network.link_quality is not None
    assert sorted(set(network.link_quality.tolist())) == [0, 0.5, 1]


def matrix(folder: Path, given: Any, **settings: Any) -> Path:
    io.mmwrite(folder / "graph.mtx", given, **settings)
    return folder / "graph.mtx"


def edges(network: Network) -> list[tuple[int, int]]:
    return sorted(zip(network.senders.tolist(), network.receivers.tolist(), strict=True))


def test_a_matrix_is_read_as_scipy_reads_it(tmp_path: Path) -> None:
    given = sparse.coo_array(([0.5, 0.0, 1.0], ([0, 1, 2], [1, 2, 0])), shape=(4, 4))
    network = read_files(graph=matrix(tmp_path, given, symmetry="general"), features="degree", link_quality="value")
    assert network.node_names == ("1", "2", "3", "4")
    assert edges(network) == [(0, 1), (1, 2), (2, 0)]  # an entry that is 0 is a link
    assert network.link_quality is not None
    assert network.link_quality.tolist() == [1.0, 0.5, 0.0]
    both = read_files(graph=matrix(tmp_path, given + given.T, symmetry="symmetric"), features="one")
    assert edges(both) == [(0, 1), (0, 2), (1, 0), (2, 0)]  # sums of SciPy leave out what is 0
    assert any(note.startswith("not read of links: value") for note in both.notes)
    (tmp_path / "graph.mtx.gz").write_bytes(gzip.compress((tmp_path / "graph.mtx").read_bytes()))
    assert edges(read_files(graph=tmp_path / "graph.mtx.gz", features="one")) == edges(both)


HEADER = "%%MatrixMarket matrix coordinate real general\n"
ENTITY = '<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "aa">]><graphml><graph edgedefault="directed"/></graphml>'


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.mtx", HEADER + "3 2 1\n1 2 1\n", "expected a sparse square matrix of numbers, got coordinate, real, 3 x 2"),
        ("a.mtx", HEADER + "1000000000 1000000000 0\n", "claims 1,000,000,000 nodes"),
        ("a.mtx", HEADER + "9 9 1000000000000\n1 2 1\n", "claims 9 nodes and 1,000,000,000,000 entries"),
        ("a.mtx", HEADER + "3 3 2\n1 2 1\n", "is no sound matrix"),
        ("a.mtx", "%%MatrixMarket matrix array real general\n1 1\n1\n", "got array, real"),
        ("a.mtx", "1 2\n", "is no sound matrix"),
        ("a.graphml", ENTITY, "declares entities"),
        ("a.gexf", ENTITY.encode("utf-16").decode("latin-1"), "declares entities"),
        ("a.graphml", "<graphml>", "is no sound .graphml"),
        ("a.gexf", "", "is no sound .gexf"),
        ("a.gml", "graph [ node [", "is no sound .gml"),
        ("a.gml", "graph [ node [ id 1 ] ]", "there is no column of features"),
        ("a.foo", "", "graph: expected a name that ends in one of .json, .gexf, .gml, .graphml, .mtx"),
    ],
)
def test_unfit_files_are_refused(name: str, content: str, message: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content.encode("latin-1"))
    with pytest.raises(InputError, match=message):
        read_files(graph=tmp_path / name)


def test_a_graph_stands_alone(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"edges: got .* beside the graph"):
        read_files(tmp_path / "edges.csv", graph=tmp_path / "a.gml")
