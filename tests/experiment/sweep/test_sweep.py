"""`jdgnn sweep`: every combination with every seed, the programs it compiles, and how a directory is extended."""

import csv
import json
import signal
from pathlib import Path
from typing import Any

import pytest

from jdgnn.errors import InputError
from jdgnn.experiment.cli.main import main
from jdgnn.experiment.config.schema import Config, as_toml
from jdgnn.experiment.results.read import read_runs
from jdgnn.experiment.run.directory import FILES, RunDirectory
from jdgnn.experiment.run.interrupts import Interrupted
from jdgnn.experiment.sweep import sharing, working
from tests.experiment.run_support import CONFIG, contents, summary

RATES, TEMPERATURES = ("0.003", "0.03"), ("0.5", "1.0")
AXES = [
    *("--set", f"optimizer.learning_rate={','.join(RATES)}"),
    *("--set", f"objective.temperature={','.join(TEMPERATURES)}"),
    *("--set", "push.link.drop=0.1,0.3"),
]


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sweep") / "tiny.toml"
    path.write_text(CONFIG)
    return path


def _sweep(config: Path, out: Path, *options: str) -> int:
    return main(["sweep", str(config), "--out", str(out), *options])


def _told(directory: Path) -> dict[str, Any]:
    return json.loads((directory / "sweep.json").read_text())


def _lines(directory: Path) -> list[dict[str, str]]:
    with (directory / "sweep.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def swept(config: Path) -> Path:
    """Three keys of two values each with two seeds, done in this process; not to be written to."""
    out = config.parent / "swept"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "80")
        assert _sweep(config, out, *AXES, "--seeds", "2") == 0
    return out


def test_each_run_has_a_directory_of_its_own(swept: Path) -> None:
    for rate in RATES:
        for temperature in TEMPERATURES:
            for loss in ("0.1", "0.3"):
                settings = f"optimizer.learning_rate={rate},objective.temperature={temperature},push.link.drop={loss}"
                for seed in range(2):
                    folder = swept / settings / f"seed-{seed}"
                    assert set(contents(folder)) == {*FILES} - {"report.html"}
                    assert summary(folder)["seed"] == seed
                runs = read_runs(swept / settings)  # as jdgnn compare does
                assert list(runs.summaries) == [0, 1]
                assert runs.settings["optimizer.learning_rate"] == float(rate)
                assert runs.settings["push.link.drop"] == float(loss)


def test_numbers_of_parts_and_seeds_compile_one_program(swept: Path) -> None:
    assert _told(swept)["programs_compiled"] <= 1  # none, if another test has run the same


@pytest.mark.long
def test_shapes_compile_a_program_for_each_value(config: Path, tmp_path: Path) -> None:
    options = ["--set", "layers.0.units=5,6", "--set", "optimizer.learning_rate=0.01,0.02"]
    assert _sweep(config, tmp_path / "out", *options) == 0
    assert _told(tmp_path / "out")["programs_compiled"] == 2


def test_there_is_a_line_for_each_run(swept: Path) -> None:
    lines = _lines(swept)
    assert len(lines) == 16
    for line in lines:
        found = summary(swept / line["directory"] / f"seed-{line['seed']}")
        assert float(line["linear_probe.accuracy.learned"]) == pytest.approx(
            found["tasks"]["linear_probe"]["accuracy"]["learned"]["mean"]
        )
        assert (line["failed"], line["digest"]) == ("", found["digest"])


def test_a_run_of_a_sweep_has_the_bits_of_one_by_itself(swept: Path, tmp_path: Path) -> None:
    last = swept / _lines(swept)[-1]["directory"] / "seed-1"
    assert main(["run", str(last / "config.toml"), "--out", str(tmp_path / "alone")]) == 0
    alone, before = summary(tmp_path / "alone"), summary(last)
    assert (alone["digest"], alone["tasks"]) == (before["digest"], before["tasks"])


def test_finished_runs_are_left_alone(swept: Path, config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path: path.stat().st_mtime_ns for path in swept.glob("*/seed-*/*")}
    assert _sweep(config, swept, *AXES, "--seeds", "2") == 0
    assert main(["sweep", "--resume", str(swept)]) == 0
    output = capsys.readouterr().out
    assert output.count("all 16 runs are finished") == 2
    assert {path: path.stat().st_mtime_ns for path in swept.glob("*/seed-*/*")} == before
    table = output[output.index("learning") :].splitlines()
    assert max(map(len, table[:12])) <= 80
    assert "best of 8" in output


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, int]]:
    """Runs write what they should, and compute nothing; a learning rate of 9 diverges, seed 7 is interrupted."""
    done: list[tuple[float, int]] = []

    def run(config: Config, directory: RunDirectory, *_: Any, resume: bool, **__: Any) -> None:
        rate = config.optimizer.learning_rate  # type: ignore[attr-defined]
        if not resume:
            directory.create(as_toml(config), {})
        if config.seed == 7:
            raise Interrupted(signal.SIGINT)
        if rate == 9.0:
            raise InputError("the run has diverged")
        learned = {"values": [rate + 0.001 * config.seed]}
        tasks = {"linear_probe": {"accuracy": {"learned": learned, "raw": {"values": [0.25]}}}}
        said = {"dataset": "none", "nodes": 3, "directed_edges": 2, "ticks": 7, "tasks": tasks, "digest": "0"}
        directory.write_summary(
            {**said, "finished": True, "seed": config.seed, "loss": [1.0], "consensus_distance": 0.1, "wall_seconds": 2}
        )
        done.append((rate, config.seed))

    monkeypatch.setattr(working, "run_experiment", run)
    return done


def test_more_values_and_seeds_are_added(config: Path, tmp_path: Path, quick: list[tuple[float, int]]) -> None:
    assert _sweep(config, tmp_path, "--set", "optimizer.learning_rate=0.1,0.2") == 0
    assert _sweep(config, tmp_path, "--set", "optimizer.learning_rate=2e-1,0.3", "--seeds", "2") == 0
    assert sorted(quick) == [(0.1, 0), (0.2, 0), (0.2, 1), (0.3, 0), (0.3, 1)]
    assert [variant["seeds"] for variant in _told(tmp_path)["variants"]] == [[0], [0, 1], [0, 1]]
    assert len(_lines(tmp_path)) == 5


def test_the_best_is_marked_with_the_difference_of_others(
    config: Path, tmp_path: Path, quick: list[tuple[float, int]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert _sweep(config, tmp_path, "--set", "optimizer.learning_rate=0.1,0.2", "--seeds", "3") == 0
    output = capsys.readouterr().out
    assert "20.1 ± 0.1*" in output
    assert "-10.0  -10.0 to -10.0" in output
    assert "0 of 1 others cannot be distinguished from it" in output
    assert _told(tmp_path)["variants"][1]["tasks"]["linear_probe"]["gain"]["mean"] == pytest.approx(-0.049)


def test_a_run_that_fails_is_reported_and_the_others_continue(
    config: Path, tmp_path: Path, quick: list[tuple[float, int]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert _sweep(config, tmp_path, "--set", "optimizer.learning_rate=9.0,0.2") == 1
    assert quick == [(0.2, 0)]
    assert "failed: learning_rate 9.0, seed 0: the run has diverged" in capsys.readouterr().out
    assert _told(tmp_path)["variants"][0]["failed"] == {"0": "the run has diverged"}
    assert _lines(tmp_path)[0]["failed"] == "the run has diverged"


def test_an_interrupt_keeps_what_is_finished_and_says_so(
    config: Path, tmp_path: Path, quick: list[tuple[float, int]], capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--set", "optimizer.learning_rate=0.1,0.2", "--set", "seed=6", "--seeds", "3"]
    assert _sweep(config, tmp_path, *options) == 130
    assert capsys.readouterr().err == (
        f"jdgnn: interrupted; 2 of 6 runs are finished and kept in {tmp_path}; "
        f"resume the others: jdgnn sweep --resume {tmp_path}\n"
    )
    assert len(_lines(tmp_path)) == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--set", "emulation.ticks=9"], "emulation.ticks was 7 and is 9"),
        (["--set", "network.num_nodes=41"], "network.num_nodes was 40 and is 41"),
        (
            ["--set", "push.fanout=2,3"],
            "is a sweep over optimizer.learning_rate, got optimizer.learning_rate, push",
        ),
    ],
)
@pytest.mark.usefixtures("quick")
def test_another_configuration_is_rejected_with_what_differs(
    options: list[str], message: str, config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rates = ["--set", "optimizer.learning_rate=0.1,0.2"]
    assert _sweep(config, tmp_path, *rates) == 0
    before = (tmp_path / "sweep.json").read_bytes()
    assert _sweep(config, tmp_path, *rates, *options) == 2
    assert message in capsys.readouterr().err
    assert (tmp_path / "sweep.json").read_bytes() == before


@pytest.mark.usefixtures("quick")
def test_a_run_that_was_given_more_ticks_is_rejected(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rates = ["--set", "optimizer.learning_rate=0.1,0.2"]
    assert _sweep(config, tmp_path, *rates) == 0
    written = tmp_path / "optimizer.learning_rate=0.1" / "seed-0" / "config.toml"
    written.write_text(written.read_text().replace("ticks = 7", "ticks = 70"))
    assert _sweep(config, tmp_path, *rates) == 2
    assert "emulation.ticks was 70 and is 7" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "--set: expected a key with several values"),
        (["--set", "optimizer.learning_rate=0.1,-1"], "learning_rate: expected one finite number"),
        (["--set", "optimizer.learning_rate=0.1,-1"], "(with optimizer.learning_rate=-1)"),
        (["--set", "optimizer.learning_rate=0.1,1e-1"], "are the same; write each value once"),
        (["--set", "optimizer.learning_rat=0.1,0.2"], "did you mean 'learning_rate'?"),
        (["--set", "push.enabled=true,false"], "push.enabled: got false, and the objective info_nce learns nothing"),
        (["--set", "push.fanout=1,2", "--jobs", "0"], "--jobs: expected a whole number"),
        (["--set", "push.fanout=1,2", "--seeds", "x"], "--seeds: expected a whole number"),
        (["--set", "push.fanout=1,2", "--resume", "nowhere"], "CONFIG: cannot be combined with --resume"),
    ],
)
def test_a_grid_that_makes_no_sense_is_rejected_before_anything_runs(
    options: list[str], message: str, config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if "--resume" in options:
        assert main(["sweep", str(config), *options]) == 2
    else:
        assert _sweep(config, tmp_path / "out", *options) == 2
    output, error = capsys.readouterr()
    assert message in error
    assert (output, error.count("\n")) == ("", 1)
    assert not (tmp_path / "out").exists()


def test_a_directory_with_something_else_is_rejected(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "thesis.tex").write_text("mine")
    assert _sweep(config, tmp_path, "--set", "push.fanout=1,2") == 2
    assert f"--out: {tmp_path} holds thesis.tex and no sweep.json" in capsys.readouterr().err
    assert main(["sweep", "--resume", str(tmp_path)]) == 2
    for text in ("", "[]", "{}", '{"configuration": 3, "data_root": null, "variants": []}'):
        (tmp_path / "sweep.json").write_text(text)
        assert main(["sweep", "--resume", str(tmp_path)]) == 2
        assert "sweep.json" in capsys.readouterr().err


def test_what_runs_share_is_done_once(config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = {"load": 0, "evaluate": 0}

    def counted(name: str) -> Any:
        def call(*given: Any, **named: Any) -> Any:
            calls[name] += 1
            return getattr(sharing.PREPARING, name)(*given, **named)

        return call

    preparing = sharing.Preparing(counted("load"), counted("evaluate"))
    monkeypatch.setattr(working, "sharing", lambda: sharing.sharing(preparing))
    options = ["--set", "optimizer.learning_rate=0.1,0.2", "--set", "push.link.drop=0.2", "--seeds", "2"]
    assert _sweep(config, tmp_path / "out", *options) == 0
    # the network once; raw features and three hops once, the untrained encoder and a projection for each seed
    assert calls == {"load": 1, "evaluate": 8}
