"""Networks from files of one's own: CSV, Parquet and npz."""

import gzip
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest

from jdgnn.errors import InputError
from jdgnn.network import Network, from_edges, read_files, to_pandas, write
from jdgnn.network.files import frames
from tests.network.five import assert_same, five

EDGES = "source,target,quality\nann,bob,0.5\nbob,cy,1\n"
NODES = "id,load,up,label,split\nann,0.1,1,router,train\nbob,0.7,0,router,test\ncy,2e-1,1,phone,\n"


def _read(folder: Path, edges: str = EDGES, nodes: str = NODES, **arguments: Any) -> Network:
    (folder / "edges.csv").write_text(edges)
    (folder / "nodes.csv").write_text(nodes)
    return read_files(folder / "edges.csv", folder / "nodes.csv", **arguments)


def test_tables_make_a_network(tmp_path: Path) -> None:
    network = _read(tmp_path, title="office")
    wanted = from_edges(
        [0, 1],
        [1, 2],
        np.array([[0.1, 1], [0.7, 0], [0.2, 1]]),
        labels=[1, 1, 0],
        link_quality=[0.5, 1],
        class_names=("phone", "router"),
        node_names=("ann", "bob", "cy"),
        name="office",
        feature_names=("load", "up"),
        notes=(
            "ids: id; labels: label; splits: split",
            "features: load, up",
            "links: source → target, none in both directions",
        ),
    )
    assert_same(network, wanted, "splits")
    assert network.splits is not None
    assert network.splits.train.tolist() == [[True, False, False]]
    assert network.splits.test.tolist() == [[False, True, False]]


def test_a_network_is_named_after_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "office").mkdir()
    assert _read(tmp_path / "office").name == "office"
    monkeypatch.chdir(tmp_path / "office")
    assert read_files("edges.csv", "nodes.csv").name == "office"


@pytest.mark.parametrize(
    ("edges", "arguments"),
    [
        ("ann,bob,0.5\nbob,cy,1\n", {"link_quality": "3"}),
        ("# made by hand\n\nann bob  0.5\n# more\nbob\tcy 1\n", {"link_quality": "3"}),
        ("% sent by, to\nann\tbob\t0.5\n\nbob\tcy\t1", {"link_quality": "3"}),
        ("# FromNodeId ToNodeId quality\nann\tbob\t.5\nbob\tcy\t1\n", {}),
        ("Quality;To;From\n1;cy;bob\n0,5;bob;ann\n", {"link_quality": "Quality"}),
        ("quality , target, source\n1,cy,bob\n.5, bob , ann\n", {}),
        ("\ufeffsource,target,quality\r\n\r\nann,bob,0.5\r\nbob,cy,1\r\n", {}),
        ('a,b,q\nann,"bob",0.5\nbob,cy,1', {"source": "a", "target": "b", "link_quality": "q"}),
    ],
)
def test_edges_in_other_words(edges: str, arguments: dict[str, str], tmp_path: Path) -> None:
    assert_same(_read(tmp_path, edges, **arguments), _read(tmp_path), "notes")


def test_tabs_go_by_the_suffix(tmp_path: Path) -> None:
    for name, text in (("edges.tsv", EDGES), ("nodes.TSV", NODES)):
        (tmp_path / name).write_text(text.replace(",", "\t"))
    assert_same(read_files(tmp_path / "edges.tsv", tmp_path / "nodes.TSV"), _read(tmp_path))


def test_ids_that_are_the_numbers_of_the_nodes_are_no_names(tmp_path: Path) -> None:
    assert _read(tmp_path, "0,1\n1,2\n", "id,x\n0,1\n1,1\n2,1\n").node_names == ()
    assert _read(tmp_path, "1,2\n2,3\n", "id,x\n1,1\n2,1\n3,1\n").node_names == ("1", "2", "3")


def test_several_splits_are_several_columns(tmp_path: Path) -> None:
    splits = _read(tmp_path, nodes="id,x,split_0,split_1\nann,1,train,test\nbob,1,test,train\ncy,1,,\n").splits
    assert splits is not None
    assert splits.train.tolist() == [[True, False, False], [False, True, False]]


@pytest.mark.parametrize("num_splits", [1, 2])
def test_round_trip_through_an_archive_loses_nothing(num_splits: int, tmp_path: Path) -> None:
    write(tmp_path / "five.npz", five(num_splits))
    assert_same(read_files(archive=tmp_path / "five.npz"), five(num_splits))
    plain = from_edges([0, 1], [1, 2], np.eye(3))
    write(tmp_path / "five.npz", plain, overwrite=True)
    assert_same(read_files(archive=str(tmp_path / "five.npz")), plain)


def test_an_archive_is_not_overwritten_unasked(tmp_path: Path) -> None:
    write(tmp_path / "five.npz", five())
    before = (tmp_path / "five.npz").read_bytes()
    with pytest.raises(InputError, match=r"path: .*five.npz exists"):
        write(tmp_path / "five.npz", from_edges([0], [1], np.eye(2)))
    assert (tmp_path / "five.npz").read_bytes() == before
    with pytest.raises(InputError, match=r"expected a name that ends in .npz"):
        write(tmp_path / "five.csv", five())
    assert os.listdir(tmp_path) == ["five.npz"]


def test_round_trip_through_parquet_loses_nothing(tmp_path: Path) -> None:
    edges, nodes = to_pandas(five())
    edges.to_parquet(tmp_path / "edges.parquet")
    nodes.to_parquet(tmp_path / "nodes.parquet")
    assert_same(
        read_files(tmp_path / "edges.parquet", tmp_path / "nodes.parquet", title="five"),
        five(),
        "feature_names",
        "notes",
    )


def test_round_trip_through_csv_keeps_all_but_the_order_of_classes(tmp_path: Path) -> None:
    for name, frame in zip(("edges", "nodes"), to_pandas(five()), strict=True):
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
    found, network = read_files(tmp_path / "edges.csv", tmp_path / "nodes.csv", title="five"), five()
    assert_same(found, network, "labels", "class_names", "features", "feature_names", "notes")
    np.testing.assert_array_equal(found.features.astype(np.float32), network.features)
    assert found.labels is not None
    assert network.labels is not None
    assert [found.class_names[c] for c in found.labels] == [network.class_names[c] for c in network.labels]


def test_quality_there_and_back_is_for_links_both_ways(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="undirected: expected true, or nothing, beside link_quality there and back"):
        _read(tmp_path, link_quality=["quality", "quality"], undirected=False)


def test_a_column_of_ids_is_no_label_and_splits_may_be_written_large(tmp_path: Path) -> None:
    nodes = "Label,x,Split\n7,0.5,train\n8,0.5,test\n9,1.5,\n"
    network = _read(tmp_path, "source,target\n7,8\n8,9\n", nodes, id="Label")
    assert network.labels is None
    assert network.feature_names == ("x",)
    assert network.splits is not None
    assert network.splits.test.tolist() == [[False, True, False]]


@pytest.mark.parametrize(
    ("edges", "nodes", "message"),
    [
        ("", NODES, r"edges: .*edges.csv: is empty; expected a line with the names"),
        (EDGES, "", r"nodes: .*nodes.csv: is empty"),
        (EDGES, "id,x\n", r"nodes: .*: holds no node"),
        (EDGES, "id,label\nann,a\nbob,b\n", r"nodes: .*: there is no column of features .*; write features = 'degree'"),
        (EDGES, "who,x\nann,1\n", r"nodes: .*: there is no column that looks like the id \(there are who, x\).*id = "),
        (EDGES + "dan,cy,1\n", NODES, r"edges: .*source: expected ids that .*nodes.csv has, got 'dan' \(line 4\)"),
        ("a,b\nann,bob\n", NODES, r"edges: .*first line looks like names of columns; write source = 'a', target = 'b'"),
        ("ann bob\nbob cy eve\n", NODES, r"edges: .*expected 2 columns, by blanks, .*; line 2 has 3"),
        (
            "source,ziel\nann,bob\n",
            NODES,
            r"edges: .*its first line looks like names of columns; write source = 'source', target = 'ziel'",
        ),
        (
            EDGES + "ann,bob\n\nbob\n",
            NODES,
            r"expected 3 columns, by commas, as in its first line; line 4 has 2, line 6",
        ),
        ("u v weight\nann bob 1\nbob ann 2\n", NODES, r"looks like names of columns; write source = 'u', target = 'v'"),
        ("from,receiver\nann,bob\n", NODES, r"looks like names of columns; write source = 'from', target = 'receiver'"),
        ("1 2\nann bob\n", NODES, r"1: expected ids that .*nodes.csv has, got '1' \(line 1\); add rows .*'drop'$"),
        (EDGES, "id,x\nann,2024-13-01\nbob,2024-12-01\ncy,\n", r"x: expected dates that exist.* '2024-13-01' \(line 2"),
        (EDGES + "ann,,1\n", NODES, r"edges: .*target: expected an id at both ends .* got an empty cell \(line 4\)"),
        (EDGES + "ann,cy,1.5\n", NODES, r"edges: .*quality: expected probabilities .* got 1.5 \(line 4\)"),
        (EDGES + "ann,cy,\n", NODES, r"edges: .*quality: expected numbers, got an empty cell \(line 4\)"),
        (EDGES, NODES + "ann,1,1,router,\n", r"nodes: .*id: expected each id once, got 'ann' \(line 5\)"),
        (EDGES, NODES + "dan,inf,1,router,\n", r"nodes: .*load: expected finite numbers, got 'inf' \(line 5\)"),
        (EDGES, NODES + "dan,high,1,router,\n", r"nodes: .*load: expected numbers, got 'high' \(line 5\)"),
        (EDGES, NODES + '\n\n"d\nan",1,,router,\n', r"nodes: .*missing: up \(1 of 4, first line 8\); write missing = "),
        (EDGES, NODES + "dan,1,1,-1,\n", r"label: .* got '-1' \(line 5\); if -1 is a class, .*; if it means"),
        (EDGES, NODES + "dan,1,1,router,dev\n", r"nodes: .*split: expected train, .*, got 'dev' \(line 5\)"),
        (EDGES, NODES + '"dan,1,1,router,\n', r"nodes: .*is no CSV"),
        (EDGES, "id,x,x,y,y\n", r"nodes: .*these names of columns stand there twice: x, y"),
        (EDGES, NODES.replace("0.7", "hot"), r"nodes: .*load: expected numbers, got 'hot' \(line 3\)"),
        ("source,target\n", NODES, r"senders: no edge between two different nodes"),
        ("% bip weighted\n1 2\n", NODES, r"edges: .*is bipartite"),
    ],
)
def test_unfit_tables_are_refused(edges: str, nodes: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        _read(tmp_path, edges, nodes)


def test_files_that_cannot_be_read_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _read(tmp_path)
    edges, nodes = tmp_path / "edges.csv", tmp_path / "nodes.csv"
    with pytest.raises(InputError, match=r"edges: .*none.csv: cannot be read \(No such file"):
        read_files(tmp_path / "none.csv", nodes)
    with pytest.raises(
        InputError, match=r"edges: .*features: got None, and there is no table of nodes; write features"
    ):
        read_files(edges)
    with pytest.raises(InputError, match=r"edges: is missing"):
        read_files(nodes=nodes)
    with pytest.raises(InputError, match=r"edges: .*got 3"):
        read_files(3, nodes)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"edges: .*edges.npz: expected a table.* archive = "):
        read_files(tmp_path / "edges.npz", nodes)
    with pytest.raises(InputError, match=r"archive: .*got .*edges.csv"):
        read_files(archive=edges)
    with pytest.raises(InputError, match=r"nodes: got .* beside the archive"):
        read_files(nodes=nodes, archive=tmp_path / "a.npz")
    with pytest.raises(InputError, match=r"label: got 'kind', and an archive has no columns"):
        read_files(archive=tmp_path / "a.npz", label="kind")
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(InputError, match=r"is no file"):
        read_files(tmp_path / "pipe.csv", nodes)
    (tmp_path / "latin.csv").write_bytes(EDGES.replace("ann", "ä").encode("latin1"))
    with pytest.raises(InputError, match=r"is not UTF-8 text \(byte 22\)"):
        read_files(tmp_path / "latin.csv", nodes)
    (tmp_path / "big.csv.gz").write_bytes(gzip.compress(EDGES.encode() * 99))
    monkeypatch.setattr(frames, "MOST_BYTES", 200)
    with pytest.raises(InputError, match=r"big.csv.gz: holds more than 200 bytes; write the network as an .npz"):
        read_files(tmp_path / "big.csv.gz", nodes)
    monkeypatch.setattr(frames, "MOST_BYTES", 10)
    with pytest.raises(InputError, match=r"has more than 10 bytes"):
        read_files(edges, nodes)
    monkeypatch.undo()
    monkeypatch.setattr(frames, "MOST_CELLS", 9)
    with pytest.raises(InputError, match=r"has more than 9 cells"):
        read_files(edges, nodes)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"senders": [0]}, "has no array 'receivers'"),
        ({"senders": [0], "receivers": [1], "features": np.eye(2), "label": [0, 1]}, "'label'.* did you mean 'labels'"),
        ({"senders": [0], "receivers": [2], "features": np.eye(2)}, "edge 0 names node 2"),
        ({"senders": [0], "receivers": [1], "features": np.eye(2), "name": [b"x"]}, "expected texts for name, got .S1"),
        (
            {"senders": [0], "receivers": [1], "features": np.eye(2), "train": [True, False]},
            "train and test, or neither",
        ),
        ({"senders": [0], "receivers": [1], "features": np.array([None, {}])}, "an array of Python objects"),
    ],
)
def test_unfit_archives_are_refused(arrays: dict[str, Any], message: str, tmp_path: Path) -> None:
    given: dict[str, Any] = {name: np.asarray(array) for name, array in arrays.items()}
    np.savez(tmp_path / "a.npz", **given)
    with pytest.raises(InputError, match=rf"archive: .*a.npz.*{message}"):
        read_files(archive=tmp_path / "a.npz")


def test_damaged_archives_and_parquet_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _read(tmp_path)
    (tmp_path / "a.npz").write_bytes(b"PK\x03\x04 no")
    with pytest.raises(InputError, match=r"archive: .* is no sound .npz"):
        read_files(archive=tmp_path / "a.npz")
    (tmp_path / "a.parquet").write_bytes(b"PAR1 no PAR1")
    with pytest.raises(InputError, match=r"edges: .*a.parquet: is no sound Parquet file"):
        read_files(tmp_path / "a.parquet", tmp_path / "nodes.csv")
    pandas.DataFrame({"source": ["ann"] * 9, "target": ["bob"] * 9}).to_parquet(tmp_path / "a.parquet")
    assert read_files(tmp_path / "a.parquet", tmp_path / "nodes.csv").num_edges == 1
    monkeypatch.setattr(frames, "MOST_CELLS", 17)
    with pytest.raises(InputError, match="has more than 17 cells"):
        read_files(tmp_path / "a.parquet", tmp_path / "nodes.csv")
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(InputError, match=r".parquet needs pyarrow; write pip install pyarrow"):
        read_files(tmp_path / "a.parquet", tmp_path / "nodes.csv")


def test_what_a_network_is_called_cannot_command_a_terminal(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", senders=[0], receivers=[1], features=np.eye(2), name="x\x1b[2J")
    assert read_files(archive=tmp_path / "a.npz").name == r"x\x1b[2J"
    assert _read(tmp_path, title="a\nb").name == r"a\nb"
