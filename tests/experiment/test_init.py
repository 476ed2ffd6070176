"""`jdgnn init` writes configurations that read the tables it looked at."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from jdgnn.experiment.cli.main import main
from jdgnn.experiment.config import schema
from jdgnn.experiment.config.networks import make_network
from jdgnn.network import Network
from tests.support import ROOT

NODES = """\
Unnamed: 0;device;model;load;class;note
0;ann;tplink;0,5;router;x
1;bob;;0,7;router;y
2;cy;asus;;phone;z
3;di;asus;0,2;;w
"""
EDGES = "a,b,rssi\nann,bob,3\nbob,cy,4\ncy,di,4\n"


def written(folder: Path, edges: str, nodes: str | None = None, *options: str) -> dict[str, Any]:
    """The table `network` that is proposed for such tables."""
    (folder / "edges.csv").write_text(edges)
    if nodes is not None:
        (folder / "nodes.csv").write_text(nodes)
    tables = [str(folder / "edges.csv"), *([] if nodes is None else [str(folder / "nodes.csv")])]
    assert main(["init", *tables, "--out", str(folder / "mine.toml"), *options]) == 0
    return tomllib.loads((folder / "mine.toml").read_text())["network"]


def network(folder: Path) -> Network:
    return make_network(schema.read(folder / "mine.toml").network, data_root=None, seed=0)


def test_columns_of_two_tables_are_proposed_by_what_they_hold(tmp_path: Path) -> None:
    assert written(tmp_path, EDGES, NODES) == {
        "name": "files",
        "edges": "edges.csv",
        "nodes": "nodes.csv",
        "id": "device",
        "source": "a",
        "target": "b",
        "label": "class",
        "ignore": ["Unnamed: 0", "note"],
        "text": "onehot",
        "missing": "mean",
        "scale": True,
        "undirected": True,
    }
    found = network(tmp_path)
    assert (found.num_nodes, found.num_edges, found.node_names) == (4, 6, ("ann", "bob", "cy", "di"))
    assert found.feature_names == ("model=asus", "model=tplink", "load")
    assert found.class_names == ("phone", "router")
    text = (tmp_path / "mine.toml").read_text()
    for reason in ("# 4 nodes; columns Unnamed: 0, device", "# 2 classes and 1 without one", "model (1), load (1)"):
        assert reason in text


@pytest.mark.parametrize(
    ("edges", "keys", "num_edges"),
    [
        ("0 1\n1 2\n2 0\n", {"features": "degree", "undirected": True}, 6),
        ("source,target\n0,1\n1,0\n", {"source": "source", "target": "target", "undirected": False}, 2),
    ],
)
def test_edges_alone(edges: str, keys: dict[str, Any], num_edges: int, tmp_path: Path) -> None:
    found = written(tmp_path, edges)
    assert found | keys == found
    assert network(tmp_path).num_edges == num_edges


def test_the_office_is_read_as_its_own_configuration_reads_it(tmp_path: Path) -> None:
    tables = [str(ROOT / "configs" / "office" / name) for name in ("edges.csv", "nodes.csv")]
    assert main(["init", *tables, "--out", str(tmp_path / "mine.toml")]) == 0
    ours, theirs = schema.read(tmp_path / "mine.toml"), schema.read(Path("own-files"))
    assert ours.publish.link.drop.name == theirs.publish.link.drop.name == "measured"  # type: ignore[attr-defined]
    first, second = (make_network(one.network, data_root=None, seed=0) for one in (ours, theirs))
    assert (first.num_edges, first.feature_names, first.class_names, first.node_names) == (
        second.num_edges,
        second.feature_names,
        second.class_names,
        second.node_names,
    )


def test_what_cannot_be_run_yet_is_written_and_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written(tmp_path, EDGES + "di,zed,1\n", NODES)
    assert "is written, and cannot be run yet: network.edges: " in capsys.readouterr().err
    text = (tmp_path / "mine.toml").read_text()
    advised = '# unknown = "drop" # links to ids that no node has: 1; so they are dropped, and counted\n'
    assert advised in text
    (tmp_path / "mine.toml").write_text(text.replace(advised, advised[2:]))
    assert network(tmp_path).num_edges == 6


def test_a_graph_takes_no_table_of_nodes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    graph = tmp_path / "mesh.json"
    nodes, links = '[{"id": "a", "load": 1}, {"id": "b", "load": 2}]', '[{"source": "a", "target": "b"}]'
    graph.write_text(f'{{"nodes": {nodes}, "links": {links}}}')
    assert main(["init", str(graph), "nodes.csv", "--out", str(tmp_path / "mine.toml")]) == 2
    assert "NODES: got nodes.csv beside" in capsys.readouterr().err
    assert main(["init", str(graph), "--out", str(tmp_path / "mine.toml")]) == 0
    assert (network(tmp_path).num_edges, network(tmp_path).node_names) == (2, ("a", "b"))


def test_small_classes_get_splits_that_they_allow(tmp_path: Path) -> None:
    nodes = "id,load,label\n" + "".join(f"n{one},{one % 3},{'ab'[one % 2]}\n" for one in range(8))
    written(tmp_path, "source,target\n" + "".join(f"n{one},n{(one + 1) % 8}\n" for one in range(8)), nodes)
    per_class = schema.read(tmp_path / "mine.toml").evaluation.per_class
    assert 1 <= per_class < 4


def test_without_tables_a_template_is_written_and_nothing_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["init"]) == 0
    assert schema.read(Path("network.toml")).network.name == "files"
    lines = Path("network.toml").read_text().splitlines()
    uncommented = "\n".join(line.removeprefix("# ") if " = " in line or "[" in line else line for line in lines[5:])
    assert schema.resolve(tomllib.loads(uncommented)).emulation.ticks == 260
    assert main(["init"]) == 2
    assert "--out: network.toml exists; give another name, or add --overwrite" in capsys.readouterr().err
    assert main(["init", "none.csv", "--overwrite"]) == 2
    assert Path("network.toml").read_text().splitlines() == lines
    assert main(["init", "--overwrite"]) == 0
