"""`jdgnn compare` on runs of a tiny network: its scores, its pairs, and the input it rejects."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from jdgnn.experiment.cli.main import main
from jdgnn.experiment.results.compare import compare
from tests.experiment.run_support import Variants, summary


def _learned(directory: Path, *seeds: int) -> NDArray[np.float64]:
    """Learned scores, for each seed and split."""
    return np.array(
        [
            summary(directory / f"seed-{seed}")["tasks"]["linear_probe"]["accuracy"]["learned"]["values"]
            for seed in seeds
        ]
    )


def _changed(run: Path, copy: Path, changes: dict[str, str]) -> Path:
    """A copy of a run, with other words in its configuration and its summary."""
    shutil.copytree(run, copy)
    for name in ("config.toml", "summary.json"):
        text = (copy / name).read_text()
        for old, new in changes.items():
            text = text.replace(old, new)
        (copy / name).write_text(text)
    return copy


def test_scores_are_over_seeds_or_over_splits(variants: Variants) -> None:
    found = compare([variants.first, variants.second / "seed-1"])
    several, single = (one["learned"] for one in found["tasks"]["linear_probe"]["scores"].values())
    means = _learned(variants.first, 0, 1, 2).mean(axis=1)
    assert (several["over"], several["n"]) == ("seeds", 3)
    assert several["mean"] == pytest.approx(means.mean())
    assert several["sd"] == pytest.approx(means.std(ddof=1))
    assert (single["over"], single["n"]) == ("splits", 2)
    assert single["sd"] == pytest.approx(_learned(variants.second, 1).std(ddof=1))
    assert [run["seeds"] for run in found["runs"]] == [[0, 1, 2], [1]]
    assert list(several) == list(single)
    assert len(found["tasks"]["linear_probe"]["scores"]["A"]) == 7


@pytest.mark.parametrize(("seeds", "over"), [([0, 1], "seeds"), ([1], "splits")])
def test_differences_are_of_pairs_by_seed_or_by_split(seeds: list[int], over: str, variants: Variants) -> None:
    other = variants.second if len(seeds) > 1 else variants.second / "seed-1"
    (found,) = compare([variants.first, other])["tasks"]["linear_probe"]["differences"]
    differences = _learned(variants.second, *seeds) - _learned(variants.first, *seeds)
    pairs = differences.mean(axis=1) if len(seeds) > 1 else differences[0]
    assert (found["of"], found["to"], found["seeds"], found["over"], found["n"]) == ("B", "A", seeds, over, 2)
    assert found["mean"] == pytest.approx(pairs.mean())
    assert found["sd"] == pytest.approx(pairs.std(ddof=1))
    error = pairs.std(ddof=1) / np.sqrt(2)
    assert found["standard_error"] == pytest.approx(error)
    assert found["interval_95"] == pytest.approx((pairs.mean() - 12.7062 * error, pairs.mean() + 12.7062 * error))


def test_the_keys_that_differ_are_named_with_their_values(variants: Variants) -> None:
    found = compare([variants.first, variants.second, variants.first / "seed-0"])
    assert found["configuration"] == {"push.fanout": {"A": 8, "B": 4, "C": 8}}


def test_a_key_that_only_one_has_differs(variants: Variants, tmp_path: Path) -> None:
    run = variants.first / "seed-0"
    other = _changed(run, tmp_path / "run", {"[network]": "[network]\nprojection = 5"})
    assert compare([run, other])["configuration"] == {"network.projection": {"A": None, "B": 5}}


def test_the_table_says_what_it_is_over(variants: Variants, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", str(variants.first), str(variants.second), str(variants.first / "seed-0")]) == 0
    output = capsys.readouterr().out
    lines = output.splitlines()
    assert lines[0] == "Linear probe, accuracy %, on stochastic_block_model"
    assert not [line for line in lines if line != line.rstrip()]
    assert max(len(line) for line in lines if str(variants.first.parent) not in line and "note" not in line) <= 80
    cells = {
        line.strip()[:17].strip(): line.split()[-2:] for line in lines[: output[: output.index("Cluster")].count("\n")]
    }
    assert cells["mean ± sd over"] == ["2", "splits"]
    assert cells["paired over"] == ["2", "splits"]
    assert {"learned", "untrained encoder", "raw features", "learned - A's", "standard error", "95 % interval"} <= set(
        cells
    )
    assert f"A       {variants.first}: seeds 0 to 2" in lines
    assert f"B       {variants.second}: seeds 0, 1" in lines
    assert "note    B - A is taken over seeds 0, 1, without seed 2 of A" in lines
    assert [line.split() for line in lines if "push.fanout" in line] == [["push.fanout", "8", "4", "8"]]


def test_unequal_effort_is_told(variants: Variants, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = variants.first / "seed-0"
    wakes = summary(run)["wakes"]
    other = _changed(run, tmp_path / "run", {f'"wakes": {wakes}': f'"wakes": {2 * wakes}'})
    assert main(["compare", str(run), str(other)]) == 0
    output = capsys.readouterr().out
    assert f"note    node-updates differ: {wakes:,} in A, {2 * wakes:,} in B" in output.splitlines()
    assert "ticks differ" not in output
    assert [found["took"]["wakes"] for found in compare([run, other])["runs"]] == [wakes, 2 * wakes]


def test_many_runs_are_shown_a_few_at_a_time(variants: Variants, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", str(variants.first), *3 * [str(variants.first / "seed-0")]]) == 0
    output = capsys.readouterr().out
    heads = [line.split()[1:] for line in output.splitlines() if "embedding" in line]
    assert heads == 2 * [["A", "B", "C"], ["A", "D"]]  # for each task
    assert "the configurations do not differ" in output


def test_json_says_the_same(variants: Variants, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["compare", str(variants.first), str(variants.second), "--json", str(tmp_path / "out.json")]
    assert main(command) == 0
    found: Any = json.loads((tmp_path / "out.json").read_text())
    assert found == json.loads(json.dumps(compare([variants.first, variants.second])))
    assert main(command) == 2
    assert "add --overwrite" in capsys.readouterr().err
    assert main([*command, "--overwrite"]) == 0


def test_what_is_not_finished_is_left_out(
    variants: Variants, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(variants.second, tmp_path / "b")
    (tmp_path / "b" / "seed-1" / "summary.json").unlink()
    assert main(["compare", str(variants.first), str(tmp_path / "b")]) == 0
    assert f"B       {tmp_path / 'b'}: seed 0; not finished and left out: seed-1" in capsys.readouterr().out


OTHERS = {
    "another network": (
        {'name = "stochastic_block_model"': 'name = "ring"'},
        "network.name is ring, and stochastic_block_model in {first}; compare runs on the same network",
    ),
    "another number of nodes": ({'"nodes": 40': '"nodes": 41'}, "nodes is 41, and 40 in {first}"),
    "another metric": ({'"accuracy"': '"roc_auc"'}, "metric is roc_auc, and accuracy in {first}"),
    "other splits": (
        {"per_class = 3": "per_class = 4"},
        "evaluation.per_class is 4, and 3 in {first}; compare runs that were evaluated on the same splits",
    ),
    "another seed": ({'"seed": 0': '"seed": 9'}, "has seed 9, and {first} has seeds 0 to 2: none in common"),
    "an older run": ({'"values"': '"older"'}, "/summary.json: invalid tasks.linear_probe.accuracy."),
    "no summary": ({'"dataset"': '"data"'}, "/summary.json: invalid dataset"),
    "broken JSON": ({'"dataset"': "dataset"}, "/summary.json: invalid (Expecting property name"),
    "broken TOML": ({"[network]": "[network"}, "/config.toml: invalid ("),
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_cannot_be_paired_is_rejected(
    name: str, variants: Variants, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changes, message = OTHERS[name]
    other = _changed(variants.first / "seed-0", tmp_path / "run", changes)
    assert main(["compare", str(variants.first), str(other), "--json", str(tmp_path / "out.json")]) == 2
    output, error = capsys.readouterr()
    assert error.startswith(f"jdgnn: error: {other}")
    assert message.format(first=variants.first) in error
    assert error.count("\n") == 1
    assert output == ""
    assert not (tmp_path / "out.json").exists()


def test_seeds_of_different_configurations_are_rejected(
    variants: Variants, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(variants.first / "seed-0", tmp_path / "seed-0")
    shutil.copytree(variants.second / "seed-1", tmp_path / "seed-1")
    assert main(["compare", str(variants.first), str(tmp_path)]) == 2
    assert "seed-0 and seed-1 differ in push.fanout" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("other", "options", "message"),
    [
        ("nowhere", [], "nowhere: there is no such directory"),
        ("tiny.toml", [], "tiny.toml: is a file"),
        ("empty", [], "empty: holds neither config.toml nor seed-0"),
        ("begun", [], "begun: its run is not finished; resume it: jdgnn run --resume"),
        ("b", ["--overwrite"], "--overwrite: expected --json FILE"),
        ("b", ["--json", "{folder}"], "is a directory; give the name of a file"),
        ("b", ["--json", "{folder}/nowhere/out.json"], "--json: there is no directory"),
        ("b", ["{folder}"] * 25, "compare: expected 2 to 26 directories, got 27"),
    ],
)
def test_what_is_no_run_is_rejected(
    other: str,
    options: list[str],
    message: str,
    variants: Variants,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "begun").mkdir()
    (tmp_path / "begun" / "config.toml").write_text("seed = 0")
    shutil.copy(variants.config, tmp_path)
    path = variants.second if other == "b" else tmp_path / other
    given = [option.format(folder=tmp_path) for option in options]
    assert main(["compare", str(variants.first), str(path), *given]) == 2
    assert message in capsys.readouterr().err
