"""`jdgnn run --seeds` on a tiny network: a complete run for each seed, what they say together, and what is kept."""

import json
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jdgnn.errors import InputError
from jdgnn.experiment.cli.main import main
from jdgnn.experiment.run import seeds
from jdgnn.experiment.run.directory import FILES
from tests.experiment.run_support import Variants, contents, summary


def _together(directory: Path) -> dict[str, Any]:
    return json.loads((directory / "seeds.json").read_text())


def _names(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir() if path.name != ".lock"}


@pytest.fixture
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs write what they should, and compute nothing; that with seed 7 is interrupted, that with 9 diverges."""

    def run(config: Any, directory: Any, *_: Any, **__: Any) -> dict[str, Any]:
        directory.create(f"seed = {config.seed}", {})
        if config.seed == 7:
            raise KeyboardInterrupt
        if config.seed == 9:
            raise InputError("the run has diverged")
        made = {"dataset": "none", "nodes": 3, "ticks": 1, "seed": config.seed, "tasks": {}}
        directory.write_summary(made)
        return made

    monkeypatch.setattr(seeds, "run_experiment", run)


def test_each_seed_has_a_run_of_its_own(variants: Variants) -> None:
    assert _names(variants.first) == {"seed-0", "seed-1", "seed-2", "run.json", "seeds.json", "report.html"}
    for seed in range(3):
        directory = variants.first / f"seed-{seed}"
        assert set(contents(directory)) == {*FILES} - {"report.html"}
        assert summary(directory)["seed"] == seed
        assert tomllib.loads((directory / "config.toml").read_text())["seed"] == seed


def test_a_run_writes_the_value_of_every_split(variants: Variants) -> None:
    for score in summary(variants.first / "seed-1")["tasks"]["linear_probe"]["accuracy"].values():
        assert len(score["values"]) == 2
        assert score["mean"] == pytest.approx(np.mean(score["values"]))
        assert score["sd"] == pytest.approx(np.std(score["values"], ddof=1))


def test_the_written_configuration_repeats_one_of_them(variants: Variants, tmp_path: Path) -> None:
    original = variants.first / "seed-1"
    assert main(["run", str(original / "config.toml"), "--out", str(tmp_path / "again")]) == 0
    for name in ("config.toml", "metrics.jsonl"):
        assert (tmp_path / "again" / name).read_bytes() == (original / name).read_bytes()
    assert summary(tmp_path / "again")["tasks"] == summary(original)["tasks"]


def test_seeds_json_has_figures_over_seeds_and_paired_differences(variants: Variants) -> None:
    found = _together(variants.first)
    probes = [summary(variants.first / f"seed-{seed}")["tasks"]["linear_probe"]["accuracy"] for seed in range(3)]
    assert (found["seeds"], found["dataset"]) == ([0, 1, 2], "stochastic_block_model")
    assert found["tasks"]["linear_probe"]["num_repeats"] == 2
    assert list(found["tasks"]["linear_probe"]["scores"]) == list(probes[0])
    for name, figure in found["tasks"]["linear_probe"]["scores"].items():
        means = [probe[name]["mean"] for probe in probes]
        assert figure["values"] == pytest.approx(means)
        assert (figure["over"], figure["n"]) == ("seeds", 3)
        assert figure["mean"] == pytest.approx(np.mean(means))
        assert figure["sd"] == pytest.approx(np.std(means, ddof=1))
    assert list(found["tasks"]["linear_probe"]["differences"]) == list(probes[0])[1:]
    for name, difference in found["tasks"]["linear_probe"]["differences"].items():
        pairs = [probe["learned"]["mean"] - probe[name]["mean"] for probe in probes]
        assert difference["mean"] == pytest.approx(np.mean(pairs))
        assert difference["standard_error"] == pytest.approx(np.std(pairs, ddof=1) / np.sqrt(3))
        low, high = difference["interval_95"]
        assert (high - low) / 2 == pytest.approx(4.302653 * difference["standard_error"], rel=1e-6, abs=1e-12)


def test_the_closing_table_is_plain_and_fits_80_columns(variants: Variants) -> None:
    assert "seed 1 (2 of 3)" in variants.output
    title = "Linear probe, accuracy %, on stochastic_block_model, seeds 0 to 2"
    table = variants.output[variants.output.index(title) :]
    lines = table.splitlines()
    assert max(len(line) for line in lines[:-1]) <= 80
    assert "mean ± sd over 3 seeds of means over 2 splits" in table
    assert lines[-1] == f"files   seeds.json, report.html, seed-0, seed-1, seed-2 in {variants.first}"
    learned = next(line for line in lines if line.strip().startswith("learned"))
    found = _together(variants.first)["tasks"]["linear_probe"]["scores"]["learned"]
    assert learned.split() == ["learned", f"{100 * found['mean']:.1f}", "±", f"{100 * found['sd']:.1f}"]


def test_without_labels_there_is_nothing_to_put_together(
    variants: Variants, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network = "network={name = 'ring', num_nodes = 12, num_features = 3}"
    assert main(["run", str(variants.config), "--seeds", "1", "--out", str(tmp_path / "run"), "--set", network]) == 0
    assert "no embedding was evaluated" in capsys.readouterr().out
    assert _together(tmp_path / "run")["tasks"] == {}


@pytest.mark.usefixtures("_quick")
def test_seeds_begin_with_that_of_the_configuration(variants: Variants, tmp_path: Path) -> None:
    options = ["--seeds", "2", "--set", "seed=3", "--out", str(tmp_path)]
    assert main(["run", str(variants.config), *options]) == 0
    assert _names(tmp_path) == {"seed-3", "seed-4", "run.json", "seeds.json"}


@pytest.mark.usefixtures("_quick")
def test_directories_are_numbered_if_none_is_given(
    variants: Variants, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["run", str(variants.config), "--seeds", "1"]) == 0
    assert _names(tmp_path / "runs" / "tiny-1") == {"seed-0", "run.json", "seeds.json"}


@pytest.mark.usefixtures("_quick")
def test_runs_are_replaced_only_if_asked(
    variants: Variants, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = ["run", str(variants.config), "--out", str(tmp_path), "--seeds"]
    assert main([*run, "3"]) == 0
    assert main([*run, "2"]) == 2
    assert f"--out: {tmp_path} exists and is not empty" in capsys.readouterr().err
    assert _names(tmp_path) == {"seed-0", "seed-1", "seed-2", "run.json", "seeds.json"}
    assert main([*run, "1", "--overwrite"]) == 0
    assert _names(tmp_path) == {"seed-0", "run.json", "seeds.json"}


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (["seed-0/config.toml", "thesis.tex"], "as it holds thesis.tex"),
        (["seed-0/config.toml", "seed-5/config.toml", "seed-5/thesis.tex"], "seed-5 is not the directory of a run"),
        (["config.toml"], "as it holds config.toml"),
        (["seed-01/config.toml"], "as it holds seed-01"),
        (["seeds.json"], "as it holds no seed-0"),
    ],
)
@pytest.mark.usefixtures("_quick")
def test_overwrite_refuses_what_is_not_runs_of_several_seeds(
    names: list[str], reason: str, variants: Variants, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("mine")
    assert main(["run", str(variants.config), "--seeds", "2", "--out", str(tmp_path), "--overwrite"]) == 2
    message = capsys.readouterr().err
    assert message.startswith("jdgnn: error: --overwrite: ")
    assert reason in message
    assert all((tmp_path / name).read_text() == "mine" for name in names)


@pytest.mark.usefixtures("_quick")
def test_an_interrupt_keeps_what_is_finished_and_says_so(
    variants: Variants, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", str(variants.config), "--seeds", "9", "--set", "seed=5", "--out", str(tmp_path)]) == 130
    last = tmp_path / "seed-7"
    assert capsys.readouterr().err == (
        f"jdgnn: interrupted; seeds 5, 6 are finished and kept in {tmp_path}; "
        f"everything recorded so far is in {last}; to resume them: jdgnn run --resume {tmp_path}\n"
    )
    assert _names(tmp_path) == {"seed-5", "seed-6", "seed-7", "run.json", "seeds.json"}
    assert _together(tmp_path)["seeds"] == [5, 6]


@pytest.mark.usefixtures("_quick")
def test_a_run_that_diverges_leaves_the_finished_ones(
    variants: Variants, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", str(variants.config), "--seeds", "2", "--set", "seed=8", "--out", str(tmp_path)]) == 2
    message = f"jdgnn: error: the run has diverged; seed 8 is finished and kept in {tmp_path}\n"
    assert capsys.readouterr().err == message


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--seeds", "0"], "--seeds: expected a whole number of at least 1, for example --seeds 5, got '0'"),
        (["--seeds", "2.5"], "for example --seeds 5, got '2.5'"),
        (["--seeds", "²"], "for example --seeds 5, got '²'"),
        (["--seeds", "2", "--set", "seed=4294967295"], "--seeds: got 2 from seed 4294967295 on"),
        (["--seeds", "2", "--record", "events.npz"], "--record: expected one run, got several seeds"),
        (["--seeds", "2", "--replay", "events.npz"], "--replay: expected one run, got several seeds"),
        (["--seeds", "2", "--set", "push.fanout=0"], "push.fanout: expected a whole number of at least 1, got 0"),
    ],
)
def test_bad_input_is_refused_before_anything_is_written(
    options: list[str], message: str, variants: Variants, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", str(variants.config), "--out", str(tmp_path / "run"), *options]) == 2
    output, error = capsys.readouterr()
    assert message in error
    assert error.count("\n") == 1
    assert output == ""
    assert not (tmp_path / "run").exists()
