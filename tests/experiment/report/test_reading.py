"""Directories that are not what `jdgnn run` makes are rejected in a sentence, and snapshots are what they say."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jdgnn.experiment.cli.main import main
from jdgnn.experiment.report.reading import _thinned, read_run
from tests.experiment.report.pages import Reported
from tests.experiment.run_support import arrays, rows


def _changed(path: Path, **changes: object) -> None:
    with np.load(path) as found:
        whole: dict[str, Any] = {**found, **changes}
    np.savez_compressed(path, allow_pickle=False, **{name: value for name, value in whole.items() if value is not None})


def _resummarised(run: Path, **changes: object) -> None:
    found = json.loads((run / "summary.json").read_text())
    (run / "summary.json").write_text(json.dumps(found | changes))


def _without_pushes(path: Path) -> None:
    found = json.loads(path.read_text())
    del found["messages"]["push"]
    path.write_text(json.dumps(found))


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "half a snapshot": (
        lambda run: (run / "snapshots" / "3.npz").write_bytes((run / "snapshots" / "3.npz").read_bytes()[:300]),
        r"3\.npz: invalid \(",
    ),
    "a statistic that is missing": (
        lambda run: _changed(run / "snapshots" / "3.npz", age=None),
        r"3\.npz: invalid \(age: expected int n=40\)",
    ),
    "statistics of fewer nodes": (
        lambda run: _changed(run / "nodes.npz", age=np.zeros(3, np.int32)),
        r"nodes\.npz: invalid \(age: expected int N=40\)",
    ),
    "links to nowhere": (
        lambda run: _changed(run / "network.npz", targets=np.full(500, 99, np.int32), sources=np.zeros(500, np.int32)),
        r"network\.npz: invalid \(targets: expected numbers from 0 to \d+, got 99 to 99\)",
    ),
    "no network": (lambda run: (run / "network.npz").unlink(), "holds no run with a network.npz"),
    "kinds of messages that are missing": (
        lambda run: _without_pushes(run / "summary.json"),
        r"run: invalid \(lacks 'push'\); repeat the run",
    ),
    "a snapshot of other nodes": (
        lambda run: _changed(run / "snapshots" / "3.npz", nodes=np.arange(1, 41, dtype=np.int32)),
        r"3\.npz: invalid \(nodes: expected numbers from 0 to 39, got 1 to 40\)",
    ),
    "nodes in no order": (
        lambda run: _changed(run / "snapshots" / "3.npz", nodes=np.arange(40, dtype=np.int32)[::-1]),
        r"3\.npz: invalid \(nodes: expected some, in ascending order\)",
    ),
    "embeddings that are no numbers": (
        lambda run: _changed(run / "snapshots" / "3.npz", embeddings=np.full((40, 7), np.nan, np.float16)),
        r"3\.npz: invalid \(embeddings: expected finite numbers\)",
    ),
    "memory that no machine has": (lambda run: _resummarised(run, memory={"parameters": 10**400}), "invalid"),
    "more neighbours than nodes": (
        lambda run: _changed(run / "network.npz", in_degree=np.full(40, 2**60)),
        r"network\.npz: invalid \(in_degree: expected numbers from 0 to 39",
    ),
    "a snapshot of no nodes": (
        lambda run: _changed(
            run / "snapshots" / "3.npz",
            **{name: np.zeros(0, np.int32) for name in ("nodes", "age", "wakes")},
            **{name: np.zeros(0, np.float32) for name in ("staleness", "distance")},
            embeddings=np.zeros((0, 7), np.float16),
        ),
        r"3\.npz: invalid \(nodes: expected some, in ascending order\)",
    ),
    "rows of one layer and of two": (
        lambda run: (run / "metrics.jsonl").write_text(
            "".join(json.dumps(row | ({"loss": [None]} if row["tick"] == 6 else {})) + "\n" for row in rows(run))
        ),
        "different numbers of layers",
    ),
    "a tick that no run comes to": (lambda run: _resummarised(run, ticks=10**30), r"summary\.json: invalid ticks"),
    "a summary of something else": (
        lambda run: (run / "summary.json").write_text('{"finished": true}'),
        r"summary\.json: invalid dataset",
    ),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_directory_is_told(
    name: str, reported: Reported, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    shutil.copytree(reported.directory, run)
    damage, sentence = DAMAGES[name]
    damage(run)
    before = (run / "report.html").read_bytes()
    assert main(["report", str(run)]) == 2
    told = capsys.readouterr().err
    assert told.startswith("jdgnn: error: ")
    assert told.count("\n") == 1
    assert re.search(sentence, told)
    assert (run / "report.html").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nowhere"], "nowhere: there is no such directory"),
        (["{run}", "--map", "pac"], "--map: got 'pac'.*did you mean 'pca'"),
        (["{run}", "--map", "pca,pca"], "names a method twice"),
        (["{run}", "--overwrite"], "--overwrite: expected --out FILE"),
        (["{run}", "--out", "{run}/config.toml"], "--out: .*config.toml exists"),
        (["{run}", "--out", "no folder/page.html"], "--out: there is no directory no folder"),
        (["{run}"] * 9, "expected 1 to 8 directories, got 9"),
    ],
)
def test_what_makes_no_sense_is_rejected(
    arguments: list[str], told: str, reported: Reported, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", *(argument.format(run=reported.directory) for argument in arguments)]) == 2
    assert re.search(told, capsys.readouterr().err)


def test_the_directory_of_a_sweep_is_told_from_those_in_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "sweep.json").write_text("{}")
    (tmp_path / "fanout-2").mkdir()
    assert main(["report", str(tmp_path)]) == 2
    assert f"give directories in it: {tmp_path / 'fanout-2'}" in capsys.readouterr().err


def test_snapshots_hold_what_nodes_held(reported: Reported, tmp_path: Path) -> None:
    assert main(["run", str(reported.config), "--set", "emulation.ticks=8", "--out", str(tmp_path / "run")]) == 0
    kept, last = arrays(reported.directory / "snapshots", "8.npz"), arrays(tmp_path / "run", "embeddings.npz")
    scale = float(kept["scale"])
    held = scale * kept["embeddings"].astype(np.float64)
    np.testing.assert_allclose(held, last["embeddings"], rtol=0, atol=scale * 2**-11)
    nodes = arrays(tmp_path / "run", "nodes.npz")
    for name in ("age", "wakes", "staleness", "distance"):
        np.testing.assert_array_equal(kept[name], nodes[name])


def test_snapshots_of_an_earlier_version_hold_own_features_behind(reported: Reported, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(reported.directory, run)
    known = [one.kept for one in read_run(run).snapshots]
    for path in (run / "snapshots").iterdir():
        with np.load(path) as found:
            embeddings = found["embeddings"]
        _changed(path, embeddings=np.column_stack([embeddings, embeddings[:, :2]]))
    for one, kept in zip(read_run(run).snapshots, known, strict=True):
        np.testing.assert_array_equal(one.kept, kept)


def test_snapshots_are_of_as_many_nodes_and_ticks_as_asked_for(reported: Reported, tmp_path: Path) -> None:
    asked = ["--set", "snapshots.nodes=10", "--set", "snapshots.every=5", "--set", "snapshots.num_splits=0"]
    assert main(["run", str(reported.config), *asked, "--out", str(tmp_path / "run")]) == 0
    assert sorted(path.name for path in (tmp_path / "run" / "snapshots").iterdir()) == ["10.npz", "5.npz"]
    kept = arrays(tmp_path / "run" / "snapshots", "5.npz")
    assert kept["embeddings"].shape == (10, 7)
    assert kept["scores"] == "{}"


def test_long_metrics_are_thinned_and_keep_their_last_row() -> None:
    rows = [{"tick": tick} for tick in range(1, 9008)]
    kept = _thinned(iter(rows))
    assert 1000 <= len(kept) <= 4001
    assert kept[0] == rows[0]
    assert kept[-1] == rows[-1]
    steps = np.diff([row["tick"] for row in kept[:-1]])
    assert len(set(steps.tolist())) == 1
