"""The report shows the numbers of a run, next to those of others, and makes no network requests."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from jdgnn.emulation.progress_bar import short
from jdgnn.experiment.cli.main import main
from jdgnn.experiment.report.making import write_report
from jdgnn.experiment.report.nodes import STATISTICS
from jdgnn.experiment.results.compare import compare
from tests.experiment.report.pages import TWO_LAYERS, Reported, data_of, numbers, read, traces, unpacked
from tests.experiment.run_support import Variants, arrays, rows, summary

PANELS = ["overview", "learning", "map", "network", "nodes", "messages", "speed", "configuration"]


def test_every_panel_is_there_and_linked_to(reported: Reported) -> None:
    page = read(reported.page)
    assert [link for link in page.links if link.startswith("#")] == ["#overview", *(f"#{name}" for name in PANELS)]
    assert set(PANELS) <= set(page.identities)
    assert len(set(page.identities)) == len(page.identities)


def test_the_page_makes_no_requests(reported: Reported) -> None:
    assert {link for link in read(reported.page).links if not link.startswith("#")} == {"data:,"}
    assert "default-src 'none'" in reported.page


def test_scores_are_drawn_at_each_snapshot_next_to_baselines(reported: Reported) -> None:
    found, probe = (
        traces(reported.page, "learning-score-linear_probe"),
        summary(reported.directory)["tasks"]["linear_probe"]["accuracy"],
    )
    assert numbers(found["learned"]["x"]).tolist() == [1, 2, 3, 5, 8, 10, 12]
    assert numbers(found["learned"]["y"])[-1] == pytest.approx(100 * probe["learned"]["mean"])
    assert numbers(found["raw features"]["y"]).tolist() == pytest.approx(2 * [100 * probe["raw"]["mean"]])
    assert len(found) == len(probe)


def test_snapshots_are_evaluated_as_the_last_embeddings_are(reported: Reported, tmp_path: Path) -> None:
    assert main(["run", str(reported.config), "--set", "emulation.ticks=8", "--out", str(tmp_path / "run")]) == 0
    shown = numbers(traces(reported.page, "learning-score-linear_probe")["learned"]["y"])
    assert shown[4] == pytest.approx(
        100 * summary(tmp_path / "run")["tasks"]["linear_probe"]["accuracy"]["learned"]["mean"]
    )


def test_losses_and_ranks_of_each_layer_are_those_recorded(reported: Reported) -> None:
    recorded = rows(reported.directory)
    for figure, key in (("learning-loss", "loss"), ("learning-rank", "effective_rank")):
        found = traces(reported.page, figure)
        for layer in (0, 1):
            line = found[f"layer {layer + 1}"]
            assert numbers(line["x"]).tolist() == [row["tick"] for row in recorded]
            assert numbers(line["y"]).tolist() == [row[key][layer] for row in recorded]


@pytest.mark.parametrize("name", [statistic.name for statistic in STATISTICS])
def test_spreads_over_nodes_are_those_recorded(reported: Reported, name: str) -> None:
    figure = data_of(reported.page)["figures"][f"nodes-{name}"]["data"]
    quantiles = np.array([row["quantiles"][name] for row in rows(reported.directory)])
    low, high, median = (numbers(trace["y"]) for trace in figure)
    np.testing.assert_array_equal([low, median, high], quantiles[:, [1, 3, 5]].T)


def test_messages_are_accounted_to_the_last_one(reported: Reported) -> None:
    messages = summary(reported.directory)["messages"]
    found = traces(reported.page, "messages-ends")
    for place, kind in enumerate(("embedding", "push", "model")):
        for name, trace in found.items():
            end = name.replace(" ", "_")
            assert trace["customdata"][place] == messages[kind][end]
            assert trace["x"][place] == pytest.approx(100 * messages[kind][end] / messages[kind]["sent"])
    page = read(reported.page)
    assert (
        f"sent {messages['embedding']['sent']:,} {messages['push']['sent']:,} {messages['model']['sent']:,}"
        in page.text
    )
    assert "sent − all of these 0 0 0" in page.text


def test_the_map_goes_from_the_first_snapshot_to_the_last_embeddings(reported: Reported) -> None:
    (run,) = data_of(reported.page)["map"]["runs"]
    assert run["ticks"] == [1, 2, 3, 5, 8, 10, 12]
    assert run["count"] == 40
    labels = arrays(reported.directory, "embeddings.npz")["labels"]
    assert unpacked(run["labels"], "<i4").tolist() == labels.tolist()
    nodes = arrays(reported.directory, "nodes.npz")
    assert unpacked(run["statistics"][-1]["age"], "<f4").tolist() == nodes["age"].tolist()
    first = arrays(reported.directory / "snapshots", "3.npz")
    assert unpacked(run["statistics"][2]["wakes"], "<f4").tolist() == first["wakes"].tolist()
    for frame in run["places"]["pca"]:
        assert unpacked(frame["x"], "<u2").shape == (40,)


def test_memory_and_speed_are_told(reported: Reported) -> None:
    found, page = summary(reported.directory), read(reported.page)
    assert found["speed"]["roofline_fraction"] > 0
    assert sum(found["speed"]["roofline_bytes"].values()) > 0
    assert found["memory"]["peak"] > sum(size for name, size in found["memory"].items() if name != "peak")
    for told in ("roofline fraction", "peak memory", "node wakes per second"):
        assert told in page.text


def test_the_whole_configuration_is_there(reported: Reported) -> None:
    assert " ".join((reported.directory / "config.toml").read_text().split()) in read(reported.page).text


def test_the_same_run_gives_the_same_page(reported: Reported, tmp_path: Path) -> None:
    write_report([reported.directory], tmp_path / "again.html")
    assert (tmp_path / "again.html").read_text() == reported.page


def test_several_runs_stand_beside_each_other(variants: Variants, tmp_path: Path) -> None:
    assert main(["report", str(variants.first), str(variants.second), "--out", str(tmp_path / "both.html")]) == 0
    page = (tmp_path / "both.html").read_text()
    compared = compare([variants.first, variants.second])
    (difference,) = compared["tasks"]["linear_probe"]["differences"]
    text = read(page).text
    assert f"B − A {100 * difference['mean']:+.2f}" in text
    assert "push.fanout 8 4" in text
    means = [one["learned"]["mean"] for one in compared["tasks"]["linear_probe"]["scores"].values()]
    found = traces(page, "learning-score-linear_probe")
    for name, mean in zip("AB", means, strict=True):
        assert numbers(found[f"{name}: learned"]["y"])[-1] == pytest.approx(100 * mean)
    assert [run["name"] for run in data_of(page)["map"]["runs"]] == [
        *(f"A, seed {seed}" for seed in (0, 1, 2)),
        *(f"B, seed {seed}" for seed in (0, 1)),
    ]


def test_runs_with_several_seeds_get_one_report(variants: Variants) -> None:
    page = read((variants.first / "report.html").read_text())
    assert "seeds 0, 1, 2" in page.text
    assert not list(variants.first.glob("seed-*/report.html"))
    assert "report.html" in variants.output


def test_names_are_only_text(reported: Reported, tmp_path: Path) -> None:
    path = tmp_path / "<img src=x onerror=alert(1)>&amp;"
    path.symlink_to(reported.directory)
    write_report([path, reported.directory], tmp_path / "page.html")
    page = read((tmp_path / "page.html").read_text())
    assert str(path) in page.text
    assert "x" not in page.links


def test_a_run_without_labels_is_shown_without_scores(reported: Reported, tmp_path: Path) -> None:
    config = tmp_path / "ring.toml"
    table = '[network]\nname = "ring"\nnum_nodes = 12\nnum_features = 6\n'
    rest = TWO_LAYERS[TWO_LAYERS.index("[[layers]]") : TWO_LAYERS.index("[evaluation]")]
    config.write_text(table + "\n" + rest)
    assert main(["run", str(config), "--set", "emulation.ticks=3", "--out", str(tmp_path / "run")]) == 0
    page = (tmp_path / "run" / "report.html").read_text()
    assert "No embedding was evaluated: the network has no labels" in read(page).text
    assert data_of(page)["map"]["runs"][0]["labels"] is None


def test_a_run_without_snapshots_is_shown_with_its_last_embeddings(reported: Reported, tmp_path: Path) -> None:
    command = ["run", str(reported.config), "--set", "snapshots.nodes=0", "--out", str(tmp_path / "run")]
    assert main(command) == 0
    assert not (tmp_path / "run" / "snapshots").exists()
    assert data_of((tmp_path / "run" / "report.html").read_text())["map"]["runs"][0]["ticks"] == [12]


def test_an_unfinished_run_is_shown_as_far_as_it_is(reported: Reported, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert main(["run", str(reported.config), "--out", str(run)]) == 0
    for name in ("summary.json", "embeddings.npz", "nodes.npz", "report.html"):
        (run / name).unlink()
    assert main(["report", str(run)]) == 0
    page = read((run / "report.html").read_text())
    assert "The run is not finished: this is its state at tick 12." in page.text
    assert data_of((run / "report.html").read_text())["map"]["runs"][0]["ticks"] == [1, 2, 3, 5, 8, 10]


def test_no_report_is_written_if_none_is_wanted(reported: Reported, tmp_path: Path) -> None:
    assert main(["run", str(reported.config), "--no-report", "--out", str(tmp_path / "run")]) == 0
    assert not (tmp_path / "run" / "report.html").exists()


def test_a_report_that_fails_does_not_take_the_run_with_it(
    reported: Reported, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("jdgnn.experiment.report.making.write_report", fail)
    assert main(["run", str(reported.config), "--out", str(tmp_path / "run")]) == 0
    assert "warning: no report was written (no space left)" in capsys.readouterr().out
    assert summary(tmp_path / "run")["finished"]


@pytest.mark.parametrize("num_maps", [1, 2])
def test_a_run_that_has_begun_stands_beside_a_finished_one(num_maps: int, reported: Reported, tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    begun.mkdir()
    for name in ("config.toml", "network.npz"):
        shutil.copy(reported.directory / name, begun)
    if num_maps == 2:
        shutil.copytree(reported.directory / "snapshots", begun / "snapshots")
    for paths in ([begun, reported.directory], [reported.directory, begun]):
        write_report(paths, tmp_path / "page.html")
        page = (tmp_path / "page.html").read_text()
        assert "The run is not finished: this is its state at the beginning." in read(page).text
        assert len(data_of(page)["map"]["runs"]) == num_maps


def test_an_unfinished_seed_is_left_out_and_named(variants: Variants, tmp_path: Path) -> None:
    seeds = tmp_path / "seeds"
    shutil.copytree(variants.second, seeds)
    for name in ("summary.json", "metrics.jsonl"):
        (seeds / "seed-1" / name).unlink()
    write_report([seeds], tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert "Seed 1 is not finished, and left out here." in read(page).text
    row = json.loads((seeds / "seed-0" / "metrics.jsonl").read_text().splitlines()[-1])
    assert numbers(traces(page, "learning-loss")["layer 1"]["y"])[-1] == pytest.approx(row["loss"][0])


def test_the_consensus_distance_of_several_seeds_is_their_mean(variants: Variants) -> None:
    rows = [json.loads(path.read_text().splitlines()[-1]) for path in variants.first.glob("seed-*/metrics.jsonl")]
    mean = sum(row["consensus_distance"] for row in rows) / len(rows)
    page = read((variants.first / "report.html").read_text())
    assert f"{short(mean)} consensus distance" in page.text


def test_snapshots_are_evaluated_on_the_first_splits_only(reported: Reported, tmp_path: Path) -> None:
    command = ["run", str(reported.config), "--set", "snapshots.num_splits=1", "--out", str(tmp_path / "run")]
    assert main(command) == 0
    page, probe = (
        (tmp_path / "run" / "report.html").read_text(),
        summary(tmp_path / "run")["tasks"]["linear_probe"]["accuracy"],
    )
    found = traces(page, "learning-score-linear_probe")
    assert numbers(found["learned"]["y"])[-1] == pytest.approx(100 * probe["learned"]["values"][0])
    assert numbers(found["raw features"]["y"])[0] == pytest.approx(100 * probe["raw"]["values"][0])
    assert f"{100 * probe['learned']['mean']:.1f} % linear probe (accuracy)" in read(page).text
    assert "Curves use the first 1 of 2 splits." in read(page).text


def test_runs_with_different_metrics_have_axes_of_their_own(reported: Reported, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(reported.directory, other)
    told = summary(other)
    (other / "summary.json").write_text(
        json.dumps(told | {"tasks": {"linear_probe": {"roc_auc": told["tasks"]["linear_probe"]["accuracy"]}}})
    )
    write_report([reported.directory, other, reported.directory], tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    learned = [
        sorted(name for name in traces(page, figure) if name.endswith(": learned"))
        for figure in ("learning-score-linear_probe", "learning-score-linear_probe-2")
    ]
    assert learned == [["A: learned", "C: learned"], ["B: learned"]]
    baselines = [name for name in traces(page, "learning-score-linear_probe") if "best baseline" in name]
    assert [name[:16] for name in baselines] == ["A: best baseline", "C: best baseline"]
    for title in ("Linear probe over time", "A, accuracy %", "B, ROC-AUC %"):
        assert title in read(page).text


def test_notes_are_those_of_the_closing_output(reported: Reported) -> None:
    told = [line.removeprefix("note    ") for line in reported.output.splitlines() if line.startswith("note ")]
    assert told
    for note in told:
        assert f"{note[:1].upper()}{note[1:]}." in read(reported.page).text
