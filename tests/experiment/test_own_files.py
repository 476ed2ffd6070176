"""Runs on networks from files of one's own, and their embeddings as files for others."""

import os
from pathlib import Path
from typing import NamedTuple

import networkx
import numpy as np
import pandas
import pytest

import jdgnn
from jdgnn.errors import InputError
from jdgnn.experiment.cli.main import main
from jdgnn.experiment.config.networks import make_network
from jdgnn.experiment.config.schema import read
from jdgnn.experiment.results.tables import notes
from tests.experiment.run_support import summary

CONFIG = """
[network]
name = "files"
edges = "data/edges.csv"
nodes = "data/nodes.csv"
undirected = true

[[layers]]
name = "gcn"
units = 4

[objective]
name = "info_nce"

[optimizer]
name = "sgd"
learning_rate = 0.01

[emulation]
ticks = 3
"""
NAMES = [f"node {v}" for v in range(20)]


class Own(NamedTuple):
    folder: Path
    config: Path
    run: Path


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Own:
    folder = tmp_path_factory.mktemp("own")
    (folder / "data").mkdir()
    rows = [f"{name},{v % 3},{v},{'even' if v % 2 else 'odd'}" for v, name in enumerate(NAMES)]
    (folder / "data" / "nodes.csv").write_text("\n".join(["id,x,y,label", *rows]))
    (folder / "data" / "edges.csv").write_text("\n".join(f"node {v},node {(v + 1) % 20}" for v in range(20)))
    (folder / "own.toml").write_text(CONFIG + "[evaluation]\nper_class = 2\nvalidation = 0.4\nnum_splits = 1\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder.parent)
        assert main(["run", os.path.relpath(folder / "own.toml"), "--out", str(folder / "run")]) == 0
    return Own(folder, folder / "own.toml", folder / "run")


def test_paths_begin_at_the_configuration_and_the_run_keeps_them_whole(own: Own) -> None:
    assert summary(own.run)["dataset"] == "data"
    resolved = read(own.run / "config.toml")
    network = make_network(resolved.network, data_root=None, seed=0)
    assert network.node_names == tuple(NAMES)
    assert getattr(resolved.network, "edges", None) == str(own.folder / "data" / "edges.csv")


def test_paths_on_the_command_line_begin_where_one_stands(own: Own, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(own.folder / "data")
    assert getattr(read(own.config, ["network.edges=edges.csv"]).network, "edges", None) == str(
        own.folder / "data" / "edges.csv"
    )


def test_a_run_goes_on_only_with_the_same_files(own: Own, capsys: pytest.CaptureFixture[str]) -> None:
    nodes = own.folder / "data" / "nodes.csv"
    before = nodes.read_text()
    nodes.write_text(before.replace("node 1,1,1", "node 1,1,2"))
    more = ["run", "--resume", str(own.run), "--set", "emulation.ticks=4"]
    assert main(more) == 2
    assert "nodes.csv is not the file that the run began with" in capsys.readouterr().err
    assert summary(own.run)["ticks"] == 3
    nodes.write_text(before)
    assert main(more) == 0
    assert summary(own.run)["ticks"] == 4


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("network.edges=nowhere.csv", r"network.edges: .*nowhere.csv: cannot be read"),
        ("network.label=kind", r"network.nodes: .*nodes.csv: there is no column 'kind' .* label = "),
        ("network.archive=a.npz", r"network.edges: got .* beside the archive"),
        ("network.edges=3", r"network.edges: .*got 3"),
        ("network.eges=a.csv", r"network.eges: .* did you mean 'edges'"),
        ('network={name="files"}', r"network.edges: is missing"),
    ],
)
def test_unfit_files_are_named_by_their_key(override: str, message: str, own: Own) -> None:
    with pytest.raises(InputError, match=message):
        make_network(read(own.config, [override]).network, data_root=None, seed=0)


def test_without_labels_nothing_is_evaluated(own: Own, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (own.folder / "data" / "nodes.csv").read_text().splitlines()
    (tmp_path / "nodes.csv").write_text("\n".join(line.rpartition(",")[0] for line in text))
    changes = ["--set", f"network.nodes={tmp_path / 'nodes.csv'}", "--out", str(tmp_path / "run")]
    assert main(["run", str(own.config), *changes]) == 0
    assert "no embedding was evaluated: the network has no labels" in capsys.readouterr().out
    assert jdgnn.read_embeddings(tmp_path / "run" / "embeddings.npz").labels is None


@pytest.mark.parametrize("suffix", ["csv", "parquet", "npz"])
def test_embeddings_are_exported_with_names_and_classes(
    suffix: str, own: Own, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / f"a.{suffix}"
    assert main(["export", str(own.run), str(out)]) == 0
    assert "wrote 20 embeddings of width 4 to" in capsys.readouterr().out
    found, ours = jdgnn.read_embeddings(out), jdgnn.read_embeddings(own.run / "embeddings.npz")
    np.testing.assert_array_equal(found.vectors, ours.vectors)
    np.testing.assert_array_equal(found.labels, ours.labels)
    assert (found.node_names, found.class_names) == (tuple(NAMES), ("even", "odd"))
    if suffix == "csv":
        assert pandas.read_csv(out)["label"][0] == "odd"


def test_an_export_is_refused_where_there_is_no_finished_run(
    own: Own, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "old.csv").write_text("mine")
    (tmp_path / "seeds" / "seed-3").mkdir(parents=True)
    (tmp_path / "begun").mkdir()
    (tmp_path / "begun" / "config.toml").touch()
    rejected = {
        (tmp_path / "none", "a.csv"): "there is no such directory",
        (own.config, "a.csv"): "is a file; give the directory of a run",
        (tmp_path, "a.csv"): "holds no config.toml",
        (tmp_path / "seeds", "a.csv"): "holds runs with several seeds; give one of them, such as",
        (tmp_path / "begun", "a.csv"): "is not finished; resume it",
        (own.run, "a.txt"): "FILE: expected a name that ends in",
        (own.run, "old.csv"): "add --overwrite to replace it",
    }
    for (run, out), message in rejected.items():
        assert main(["export", str(run), str(tmp_path / out)]) == 2
        assert message in capsys.readouterr().err
    assert (tmp_path / "old.csv").read_text() == "mine"
    assert main(["export", str(own.run), str(tmp_path / "old.csv"), "--overwrite"]) == 0


@pytest.mark.parametrize(
    ("share", "message"),
    [
        (0.05, "evaluation.validation: no split with 4 training and 1 validation nodes was found that has every class"),
        (
            0.02,
            "evaluation.validation: got 0.02, and splits.validation: split 0 has no nodes there; write more, such as",
        ),
    ],
)
def test_too_few_nodes_for_the_splits_are_told_by_the_key_that_helps(
    own: Own, share: float, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["run", str(own.config), "--set", f"evaluation.validation={share}", "--out", str(own.folder / "few")]
    assert main(command) == 2
    assert message in capsys.readouterr().err


def test_features_of_different_units_are_told_and_can_be_scaled(own: Own, tmp_path: Path) -> None:
    nodes = (own.folder / "data" / "nodes.csv").read_text().splitlines()
    rows = [line.split(",") for line in nodes]
    changed = [
        ",".join([row[0], row[1], row[2] if number == 0 else str(1e4 * float(row[2])), row[3]])
        for number, row in enumerate(rows)
    ]
    (own.folder / "data" / "units.csv").write_text("\n".join(changed))
    for value in ("false", "true"):
        command = ["run", str(own.config), "--set", f"network.nodes={own.folder}/data/units.csv", "--no-report"]
        assert main([*command, "--set", f"network.scale={value}", "--out", str(tmp_path / value)]) == 0
    low, high = summary(tmp_path / "false")["warnings"]["unlike_features"]
    assert high > 1e4 * low
    assert summary(tmp_path / "true")["warnings"]["unlike_features"] == []
    (note,) = [note for note in notes(summary(tmp_path / "false")) if "network.scale = true" in note]
    assert note.startswith("features differ in scale (standard deviations from 0.")


def test_rare_classes_are_told_by_their_names(own: Own, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(own.config), "--set", "evaluation.per_class=11", "--out", str(own.folder / "few")]) == 2
    told = capsys.readouterr().err
    assert "evaluation.per_class: got 11, and these classes have fewer nodes: even (10), odd (10); write" in told


def test_classes_that_no_split_tests_are_told(own: Own, tmp_path: Path) -> None:
    nodes = (own.folder / "data" / "nodes.csv").read_text().splitlines()
    rare = [
        line.replace("odd", "rare").replace("even", "rare") if number in (3, 4) else line
        for number, line in enumerate(nodes)
    ]
    (own.folder / "data" / "rare.csv").write_text("\n".join(rare))
    changes = [f"network.nodes={own.folder}/data/rare.csv", "evaluation.per_class=2", "evaluation.validation=0.2"]
    command = ["run", str(own.config), *(word for change in changes for word in ("--set", change)), "--no-report"]
    assert main([*command, "--out", str(tmp_path / "run")]) == 0
    assert "1 classes have no test node in any split, and are not evaluated" in notes(summary(tmp_path / "run"))


def test_labels_of_one_class_are_not_evaluated(own: Own, capsys: pytest.CaptureFixture[str]) -> None:
    (own.folder / "data" / "same.csv").write_text(
        (own.folder / "data" / "nodes.csv").read_text().replace("even", "odd")
    )
    path = own.folder / "data" / "same.csv"
    command = ["run", str(own.config), "--set", f"network.nodes={path}", "--out", str(own.folder / "same")]
    assert main(command) == 0
    assert "no embedding was evaluated: all labels are of one class" in capsys.readouterr().out


@pytest.mark.long
def test_traces_and_groups_of_a_configuration_name_nodes(own: Own, capsys: pytest.CaptureFixture[str]) -> None:
    """Their files lie beside the configuration; all that is wrong with names is told at once."""
    named = own.folder / "named.toml"
    lines = [f"{name},0,2" for name in reversed(NAMES[:15])]
    (own.folder / "trace.csv").write_text("\n".join(["node,start,end", *lines]))
    (own.folder / "sides.csv").write_text("\n".join(["node,group", *(f"{name},{name[-1]}" for name in NAMES)]))
    named.write_text(
        own.config.read_text()
        + "[availability]\npresence = {name = 'trace', path = 'trace.csv'}\n"
        + "[publish.link.partition]\nstart = 0\nend = 9\ngroups = 'sides.csv'\n"
    )
    assert main(["run", str(named), "--out", str(own.folder / "named")]) == 0
    output = " ".join(capsys.readouterr().out.split())
    assert output.count("the trace ends at tick 2 of 3") == 2  # at the start, and in the closing table
    assert summary(own.folder / "named")["remarks"] == [notes_of(output)]
    nodes = np.load(own.folder / "named" / "nodes.npz")
    assert nodes["wakes"].tolist() == [2] * 15 + [0] * 5
    assert summary(own.folder / "named")["messages"]["embedding"]["dropped"] == 2 * 2 * 15  # neighbours differ in group
    (own.folder / "trace.csv").write_text("node,start,end\nnode 3,0,2\nnobody,0,2\n7,1,2\n")
    assert main(["run", str(named), "--out", str(own.folder / "rejected")]) == 2
    assert "no node has the name 'nobody', '7'; the nodes are called 'node 0'" in capsys.readouterr().err
    assert not (own.folder / "rejected").exists()


def notes_of(output: str) -> str:
    """The first note about a trace in what a run printed."""
    start = output.index("the trace ends")
    return output[start : output.index("repeat it", start) + len("repeat it")]


def test_a_configuration_reads_a_file_of_a_graph(tmp_path: Path) -> None:
    graph = networkx.Graph([("c", "a"), ("a", "b")], name="mesh")
    for number, node in enumerate(graph):
        graph.nodes[node].update(load=number / 4, role="xy"[number % 2])
    networkx.set_edge_attributes(graph, 0.5, "tq")
    networkx.write_graphml(graph, tmp_path / "mesh.graphml")
    settings = "name = 'files'\ngraph = 'mesh.graphml'\nlabel = 'role'\nlink_quality = 'tq'"
    (tmp_path / "mesh.toml").write_text(f"[network]\n{settings}\n")
    network = make_network(read(tmp_path / "mesh.toml").network, data_root=None, seed=0)
    assert network.node_names == ("c", "a", "b")
    assert network.features.ravel().tolist() == [0.0, 0.25, 0.5]
    assert network.class_names == ("x", "y")
    assert network.link_quality is not None
    assert network.link_quality.tolist() == [0.5] * 4


def test_a_spreadsheet_with_text_gaps_and_partial_labels_gets_to_its_report(
    own: Own, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    loads = ["" if v % 9 == 0 else f"{v},5" for v in range(20)]
    labels = ["" if v % 5 == 0 else "xy"[v % 2] for v in range(20)]
    rows = [f"{NAMES[v]};host{v};{loads[v]};{'ab'[v % 3 % 2]};{labels[v]};{v // 2}" for v in range(20)]
    (tmp_path / "nodes.csv").write_text("\n".join(["id;host;load;model;label;fold", *rows]))
    changes = [f"network.nodes={tmp_path}/nodes.csv", "network.text=onehot", "network.missing=mean"]
    changes += ["network.ignore=['fold']"]
    command = ["run", str(own.config), *(word for change in changes for word in ("--set", change))]
    assert main([*command, "--out", str(tmp_path / "run")]) == 0
    told = [
        "features: load, model (one-hot, 2 values)",
        "not features: fold, host (text, 20 different)",
        "filled by the mean: load (3 of 20)",
        "decimal commas were read in load",
        "4 of 20 nodes have no label: they take part, and stand in no split",
    ]
    begin, _, end = capsys.readouterr().out.partition("Evaluation on")
    page = (tmp_path / "run" / "report.html").read_text()
    for note in told:
        assert note in begin
        assert note in end
        assert all(part in page for part in note.split(": "))  # in two cells
    found = summary(tmp_path / "run")
    assert found["feature_names"] == ["load", "model=a", "model=b"]
    assert set(told) <= set(found["network_notes"])
    assert main(["export", str(tmp_path / "run"), str(tmp_path / "a.csv")]) == 0
    assert pandas.read_csv(tmp_path / "a.csv")["label"].isna().tolist() == [v % 5 == 0 for v in range(20)]
    np.testing.assert_array_equal(
        jdgnn.read_embeddings(tmp_path / "a.csv").labels, [-1 if v % 5 == 0 else v % 2 for v in range(20)]
    )
