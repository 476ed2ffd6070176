"""Files that people have: edge lists, tables of Gephi, spreadsheets, mesh viewers."""

import gzip
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest

from jdgnn.errors import InputError
from jdgnn.network import Network, read_files, scale

SNAP = "# Directed graph (each unordered pair of nodes is saved once): a.txt\n# Nodes: 4\n# FromNodeId\tToNodeId\n"
MESH: dict[str, Any] = {
    "timestamp": "2024-01-01T00:00:00+0000",
    "nodes": [
        {
            "node_id": "a",
            "hostname": "r-1",
            "up": True,
            "load": 0.25,
            "seen": "2024-01-01T00:00:00+0000",
            "at": {"x": 1},
        },
        {
            "node_id": "b",
            "hostname": "r-1",
            "up": False,
            "load": 0.75,
            "seen": "2024-01-01T00:01:00+0000",
            "at": {"x": 3},
        },
        {"node_id": "c", "hostname": "r-2", "up": True, "seen": "2024-01-01T00:00:00+0000", "at": {}},
    ],
    "links": [
        {"source": "a", "target": "b", "source_tq": 0.9, "target_tq": 0.4, "type": "wifi"},
        {"source": "b", "target": "ffff", "source_tq": 0.5, "target_tq": 0.5, "type": "wifi"},
    ],
}


def _edges(network: Network) -> list[tuple[str, str]]:
    names = network.node_names or tuple(map(str, range(network.num_nodes)))
    pairs = zip(network.senders.tolist(), network.receivers.tolist(), strict=True)
    return sorted((names[u], names[v]) for u, v in pairs)


def test_an_edge_list_alone(tmp_path: Path) -> None:
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(f"{SNAP}10\t2\n2\t3\n3\t2\n2\t2\n".encode()))
    network = read_files(tmp_path / "a.txt.gz", features="degree")
    assert network.node_names == ("2", "3", "10")
    assert _edges(network) == [("10", "2"), ("2", "3"), ("3", "2")]
    assert network.feature_names == ("in-degree", "out-degree")
    assert network.features.tolist() == [[2, 1], [1, 1], [0, 1]]
    assert network.num_self_loops_removed == 1
    assert "links: FromNodeId → ToNodeId, none in both directions" in network.notes
    assert read_files(tmp_path / "a.txt.gz", features="one").features.tolist() == [[1], [1], [1]]
    drawn = read_files(tmp_path / "a.txt.gz", features="random").features
    assert drawn.shape == (3, 32)
    np.testing.assert_array_equal(drawn, read_files(tmp_path / "a.txt.gz", features="random").features)
    with pytest.raises(InputError, match="features: got 'load', and there is no table of nodes"):
        read_files(tmp_path / "a.txt.gz", features="load")


@pytest.mark.parametrize(
    ("first", "undirected", "count"),
    [
        ("% sym weighted", None, 4),
        ("% asym weighted", None, 2),
        ("# Undirected graph: a.txt", None, 4),
        ("# Undirected graph: a.txt", False, 2),
        ("# anything", None, 2),
        ("# anything", True, 4),
    ],
)
def test_files_say_whether_links_go_both_ways(first: str, undirected: bool | None, count: int, tmp_path: Path) -> None:
    (tmp_path / "out.graph").write_text(f"{first}\n% 2 3 3\n1 2 7 1082040961\n2 3 9 1082155839\n")
    network = read_files(tmp_path / "out.graph", features="degree", undirected=undirected)
    assert network.num_edges == count
    assert network.link_quality is None
    assert any(note.startswith("not read of links: 3, 4; write link_quality") for note in network.notes)
    assert any("though the file says otherwise" in note for note in network.notes) == (undirected is False)


def test_tables_of_gephi(tmp_path: Path) -> None:
    kinds = ("Undirected", "Directed", "Directed")
    rows = [f"{ends},{kind},0,,,2.0" for ends, kind in zip(("a,b", "b,c", "a,b"), kinds, strict=True)]
    (tmp_path / "e.csv").write_text("\n".join(["Source,Target,Type,Id,Label,timeset,Weight", *rows]))
    (tmp_path / "n.csv").write_text("Id,Label,timeset,modularity_class,degree\na,Ann,,0,1\nb,Bob,,1,2\nc,Cy,,0,1\n")
    network = read_files(tmp_path / "e.csv", tmp_path / "n.csv", label="modularity_class")
    assert _edges(network) == [("a", "b"), ("b", "a"), ("b", "c")]
    assert network.labels is not None
    assert network.labels.tolist() == [0, 1, 0]
    assert network.feature_names == ("degree",)
    told = " ".join(network.notes)
    for words in ("Label: taken for display names", "timeset (empty)", "not read of links: Id, Label, timeset, Weight"):
        assert words in told
    assert read_files(tmp_path / "e.csv", tmp_path / "n.csv", label="Label").class_names == ("Ann", "Bob", "Cy")


def test_names_beside_nodes_are_no_classes(tmp_path: Path) -> None:
    (tmp_path / "e.csv").write_text("a,b\nb,c\n")
    (tmp_path / "n.csv").write_text("id,label,x\na,Ann,1\nb,Bob,1\nc,Cy,2\n")
    network = read_files(tmp_path / "e.csv", tmp_path / "n.csv")
    assert network.labels is None
    assert any(note.startswith("label: taken for display names, as all differ") for note in network.notes)


def test_semicolons_and_decimal_commas(tmp_path: Path) -> None:
    (tmp_path / "e.csv").write_text("source;target;quality\na;b;0,5\nb;c;1\n")
    (tmp_path / "n.csv").write_text("id;load;rate;part\na;0,5;1,5e3;1,2,3\nb;-1;;1,2,3\nc;,25;7;4\n")
    network = read_files(tmp_path / "e.csv", tmp_path / "n.csv", missing="zero", text="onehot")
    assert network.features.tolist() == [[0.5, 1500, 1, 0], [-1, 0, 1, 0], [0.25, 7, 0, 1]]
    assert network.feature_names == ("load", "rate", "part=1,2,3", "part=4")
    assert network.link_quality is not None
    assert network.link_quality.tolist() == [0.5, 1.0]
    assert "decimal commas were read in load, rate" in network.notes


def test_tabs_and_blanks_in_one_line_of_numbers_separate_alike(tmp_path: Path) -> None:
    (tmp_path / "out.graph").write_text("% asym positive\n1 2\t1\t1217567877\n2 3\t1 \t1217573801\n")
    network = read_files(tmp_path / "out.graph", features="one")
    assert _edges(network) == [("1", "2"), ("2", "3")]


def test_a_title_above_the_names_of_columns_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "e.csv").write_text("source,target\na,b\n")
    rows = [["Routers of 2024", None], [None, None], ["id", "load"], ["a", 0.5], [None, None], ["b", 1.5]]
    pandas.DataFrame(rows).to_excel(tmp_path / "n.xlsx", header=False, index=False)
    network = read_files(tmp_path / "e.csv", tmp_path / "n.xlsx")
    assert (network.node_names, network.features.tolist()) == (("a", "b"), [[0.5], [1.5]])
    assert "n.xlsx: what stands above row 3 was not read" in network.notes


def test_dots_beside_decimal_commas_are_told(tmp_path: Path) -> None:
    (tmp_path / "e.csv").write_text("source;target\na;b\n")
    (tmp_path / "n.csv").write_text("id;load;users\na;0,5;1.000\nb;1,5;20\n")
    network = read_files(tmp_path / "e.csv", tmp_path / "n.csv")
    assert network.features.tolist() == [[0.5, 1.0], [1.5, 20.0]]
    told = "decimal commas were read in load; look at users: dots there were read as decimal points"
    assert any(note.startswith(told) for note in network.notes)


def test_whole_numbers_as_tables_with_gaps_write_them_are_the_same_node(tmp_path: Path) -> None:
    (tmp_path / "e.csv").write_text("source,target\n1.0,2\n1,3\n2.0,1\n")
    network = read_files(tmp_path / "e.csv", features="one")
    assert network.node_names == ("1", "2", "3")
    assert _edges(network) == [("1", "2"), ("1", "3"), ("2", "1")]


def test_a_type_of_links_that_is_no_direction_is_refused_where_others_are(tmp_path: Path) -> None:
    (tmp_path / "e.csv").write_text("Source,Target,Type\na,b,Undirected\nb,c,\n")
    with pytest.raises(InputError, match=r"Type: expected directed or undirected, got an empty cell \(line 3\)"):
        read_files(tmp_path / "e.csv", features="one")
    assert read_files(tmp_path / "e.csv", features="one", undirected=True).num_edges == 4


def test_times_and_whole_numbers_keep_their_digits_until_scaled(tmp_path: Path) -> None:
    rows = [f"{v},{1_700_000_000 + v},2024-01-01T00:00:{v:02}Z" for v in range(60)]
    (tmp_path / "n.csv").write_text("\n".join(["id,last_seen,uptime", *rows]))
    (tmp_path / "e.csv").write_text("\n".join(f"{v} {(v + 1) % 60}" for v in range(60)))
    network = read_files(tmp_path / "e.csv", tmp_path / "n.csv")
    assert [len(np.unique(column)) for column in network.features.T] == [60, 60]
    assert [len(np.unique(column.astype(np.float32))) for column in scale(network).features.T] == [60, 60]
    assert "features lose values in float32: last_seen (1 different of 60), uptime (1 different of 60)" in repr(network)


def _mesh(folder: Path, **changes: Any) -> Path:
    (folder / "meshviewer.json").write_text(json.dumps(MESH | changes))
    return folder / "meshviewer.json"


def test_json_of_a_mesh_viewer(tmp_path: Path) -> None:
    network = read_files(
        graph=_mesh(tmp_path),
        text="ignore",
        missing="mean",
        unknown="drop",
        link_quality=["source_tq", "target_tq"],
    )
    assert network.feature_names == ("up", "load", "seen", "at.x")
    first = 1704067200.0
    assert network.features.tolist() == [[1, 0.25, first, 1], [0, 0.75, first + 60, 3], [1, 0.5, first, 2]]
    assert _edges(network) == [("a", "b"), ("b", "a")]
    assert network.link_quality is not None
    found = dict(zip(network.senders.tolist(), network.link_quality.tolist(), strict=True))
    assert found == {0: pytest.approx(0.9), 1: pytest.approx(0.4)}  # what the sender reports towards the receiver
    assert "1 links to unknown nodes were dropped" in network.notes
    assert "links: source → target, all in both directions" in network.notes


def test_everything_that_is_wrong_with_json_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(
        InputError,
        match=r"graph: .*texts: hostname \(2 different\).*missing: load \(1 of 3, first nodes\[2\]\), at.x .*"
        r"target: expected ids .* got 'ffff' \(links\[1\]\); .* unknown = 'drop'",
    ):
        read_files(graph=_mesh(tmp_path))


def test_node_link_json_says_its_direction(tmp_path: Path) -> None:
    nodes = {"7": {"x": 1.5}, "8": {"x": 2.5}}
    path = _mesh(tmp_path, nodes=nodes, links=[{"source": 7, "target": 8}], directed=False)
    assert read_files(graph=path).num_edges == 2
    assert read_files(graph=_mesh(tmp_path, nodes=nodes, links=[{"source": 7, "target": 8}])).num_edges == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is no sound JSON"),
        ("[1]", "expected the lists 'nodes' and 'links'"),
        ('{"nodes": [], "links": {}}', "expected the lists"),
        ('{"nodes": [{"id": 1}, 3], "links": []}', r"nodes: expected tables, got '3' \(number 1\)"),
        ('{"nodes": [], "links": []}', "there is no column that looks like the id"),
        ("[" * 100_000, "is no sound JSON"),
    ],
)
def test_other_json_is_refused(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(InputError, match=rf"graph: .*a.json.*{message}"):
        read_files(graph=tmp_path / "a.json")


def test_spreadsheets(tmp_path: Path) -> None:
    edges = pandas.DataFrame({"source": [1, 2], "target": [2, 3], "quality": [0.5, 1]})
    nodes = pandas.DataFrame(
        {"id": [1, 2, 3], "load": [0.1, None, 0.3], "model": ["x", "y", "x"], "label": ["a", None, "b"]}
    )
    nodes["seen"] = pandas.to_datetime(["2024-01-01", "2024-01-02", "2024-01-03"])
    edges.to_excel(tmp_path / "e.xlsx", index=False)
    nodes.to_excel(tmp_path / "n.xlsx", index=False)
    network = read_files(tmp_path / "e.xlsx", tmp_path / "n.xlsx", text="onehot", missing="mean")
    assert network.node_names == ("1", "2", "3")
    assert network.feature_names == ("load", "model=x", "model=y", "seen")
    np.testing.assert_allclose(network.features[:, 0], [0.1, 0.2, 0.3])
    assert network.features[:, 3].tolist() == [1704067200, 1704153600, 1704240000]
    assert network.labels is not None
    assert network.labels.tolist() == [0, -1, 1]
    with pytest.raises(InputError, match=r"nodes: .*texts: model \(2 different\).*load \(1 of 3, first row 3\)"):
        read_files(tmp_path / "e.xlsx", tmp_path / "n.xlsx")
    (tmp_path / "bad.xlsx").write_bytes(b"PK no")
    with pytest.raises(InputError, match=r"nodes: .*bad.xlsx: is no sound spreadsheet"):
        read_files(tmp_path / "e.xlsx", tmp_path / "bad.xlsx")


def test_a_missing_library_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pandas.DataFrame({"source": [1], "target": [2]}).to_excel(tmp_path / "e.xlsx", index=False)
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(InputError, match=r"edges: .xlsx needs openpyxl; write pip install openpyxl, or save it as CSV"):
        read_files(tmp_path / "e.xlsx", features="one")


def test_what_programs_write_around_rows(tmp_path: Path) -> None:
    (tmp_path / "e.txt").write_text("a b {'weight': 3}\nb c {}\n")
    network = read_files(tmp_path / "e.txt", features="one")
    assert _edges(network) == [("a", "b"), ("b", "c")]
    assert "attributes in braces were not read" in network.notes
    (tmp_path / "e.csv").write_text("sep=;\nsource;target\na;b\n")
    (tmp_path / "n.csv").write_text("\ufeffsep=;\r\nid;x;;\r\na;1,5;;\r\nb;2;;\r\n")
    network = read_files(tmp_path / "e.csv", tmp_path / "n.csv")
    assert network.features.tolist() == [[1.5], [2.0]]
    assert "not features: Unnamed: 2 (empty), Unnamed: 3 (empty)" in network.notes


def test_a_stray_quote_is_read_and_its_line_is_told(tmp_path: Path) -> None:
    (tmp_path / "e.csv").write_text('source,target\na"n,b\n"x"y,b\n')
    (tmp_path / "n.csv").write_text("id,x\nb,1\n")
    with pytest.raises(InputError, match=r"source: expected ids .*, got 'a\"n' \(line 2\), 'xy' \(line 3\)"):
        read_files(tmp_path / "e.csv", tmp_path / "n.csv")
