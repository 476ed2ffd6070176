"""`jdgnn.load_run` gives back what a run was: its parts, its last state to the bit, and all that was recorded."""

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

import jdgnn
from jdgnn import InputError
from jdgnn.experiment.cli.main import main
from tests.experiment.run_support import Variants, arrays, rows, summary
from tests.support import ROOT, assert_same_bits


def test_a_run_comes_back_to_the_bit(variants: Variants) -> None:
    folder = variants.first / "seed-1"
    run = jdgnn.load_run(folder)
    assert (run.path, run.summary) == (folder, summary(folder))
    assert jdgnn.digest(run.state) == run.summary["digest"]
    assert run.history.rows() == rows(folder)
    np.testing.assert_array_equal(run.embeddings, arrays(folder, "embeddings.npz")["embeddings"])
    assert run.network.splits is not None
    assert repr(run) == f"Run('{folder}': stochastic_block_model, seed 1, 7 ticks)"


def test_what_comes_back_is_what_python_gives(variants: Variants) -> None:
    run = jdgnn.load_run(variants.first, seed=2)
    first = run.emulator.init(jax.random.key(2), run.network)
    state, history = jdgnn.run(run.emulator, first, run.network, 7, record_every=3)
    assert_same_bits(state, run.state)
    assert_same_bits(replace(history, seconds=0.0, compile_seconds=0.0), run.history)
    further, _ = jdgnn.run(run.emulator, run.state, run.network, 2)
    assert int(further.tick) == 9


def test_the_example_of_the_page_runs(variants: Variants, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    example = (ROOT / "docs" / "howto" / "resume.md").read_text().partition("```py\n")[2].partition("```")[0]
    assert "load_run" in example
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "cora").symlink_to(variants.first / "seed-0")
    monkeypatch.chdir(tmp_path)
    exec(example, found := dict[str, Any]())
    assert int(found["state"].tick) == 57


def without_end(folder: Path) -> None:
    told = summary(folder) | {"finished": False}
    (folder / "summary.json").write_text(json.dumps(told))


def another_digest(folder: Path) -> None:
    (folder / "summary.json").write_text(json.dumps(summary(folder) | {"digest": "0" * 64}))


def half_of_metrics(folder: Path) -> None:
    text = (folder / "metrics.jsonl").read_text()
    (folder / "metrics.jsonl").write_text(text[: len(text) // 2])


def damaged_checkpoint(folder: Path) -> None:
    for path in (folder / "checkpoints" / "7").rglob("*"):
        if path.is_file():
            path.write_bytes(b"")


def as_of_an_earlier_tick(folder: Path) -> None:
    text = (folder / "config.toml").read_text()
    (folder / "config.toml").write_text(text.replace("ticks = 7", "ticks = 9"))


def with_another_rate(folder: Path) -> None:
    text = (folder / "config.toml").read_text()
    (folder / "config.toml").write_text(re.sub(r"learning_rate = \S+", "learning_rate = 0.75", text))


SPOILT: dict[str, tuple[Callable[[Path], Any], str]] = {
    "not finished": (without_end, "its run is not finished; finish it first: jdgnn run --resume"),
    "no checkpoint": (lambda folder: shutil.rmtree(folder / "checkpoints"), "it has no checkpoint, so its state is"),
    "a damaged checkpoint": (damaged_checkpoint, "its state is lost, since .*; repeat the run"),
    "an early checkpoint": (as_of_an_earlier_tick, "expected a checkpoint of tick 9, the last"),
    "another state": (another_digest, r"its checkpoint does not hold the state of its summary\.json"),
    "another configuration": (
        with_another_rate,
        r"run has another configuration: optimizer\.learning_rate was \S+ and is 0\.75",
    ),
    "half of the records": (
        half_of_metrics,
        "expected valid records up to tick 7, got records up to tick 3",
    ),
    "no origin": (lambda folder: (folder / "run.json").unlink(), r"^\S+run\.json cannot be read"),
    "no configuration": (lambda folder: (folder / "config.toml").unlink(), "holds neither config.toml nor seed-0"),
    "a broken configuration": (lambda folder: (folder / "config.toml").write_text("a"), "is no valid TOML"),
}


@pytest.mark.parametrize("name", SPOILT)
def test_what_cannot_be_loaded_is_told_in_a_sentence(name: str, variants: Variants, tmp_path: Path) -> None:
    spoil, sentence = SPOILT[name]
    folder = tmp_path / "run"
    shutil.copytree(variants.first / "seed-0", folder)
    spoil(folder)
    with pytest.raises(InputError, match=sentence):
        jdgnn.load_run(folder)


def test_which_run_is_meant_must_be_clear(variants: Variants, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"seed: expected one of 0, 1, 2, .* got None"):
        jdgnn.load_run(variants.first)
    with pytest.raises(InputError, match=r"seed: expected one of 0, 1, 2, .* got 7"):
        jdgnn.load_run(variants.first, seed=7)
    with pytest.raises(InputError, match=r"seed: expected one of 0, which .* holds, got 1"):
        jdgnn.load_run(variants.first / "seed-0", seed=1)
    with pytest.raises(InputError, match="seed: expected a whole number, got 'a'"):
        jdgnn.load_run(variants.first, seed="a")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="path: expected the path of a directory, got 3"):
        jdgnn.load_run(3)  # type: ignore[arg-type]
    (tmp_path / "sweep.json").write_text("{}")
    with pytest.raises(InputError, match="is the directory of a sweep"):
        jdgnn.load_run(tmp_path)


def test_a_changed_file_of_the_network_is_rejected_and_a_data_root_is_taken(tmp_path: Path) -> None:
    tables = tmp_path / "nodes.csv", tmp_path / "edges.csv"
    tables[0].write_text("id,load\n" + "".join(f"{node},{node % 3}\n" for node in range(8)))
    tables[1].write_text("source,target\n" + "".join(f"{node},{(node + 1) % 8}\n" for node in range(8)))
    config = tmp_path / "mine.toml"
    config.write_text('[network]\nname = "files"\nnodes = "nodes.csv"\nedges = "edges.csv"\n')
    short = ["--set", "emulation.ticks=2", "--no-report"]
    assert main(["run", str(config), "--out", str(tmp_path / "run"), *short]) == 0
    assert jdgnn.load_run(str(tmp_path / "run"), data_root=tmp_path).network.num_nodes == 8
    tables[0].write_text(tables[0].read_text() + "8,1\n")
    with pytest.raises(InputError, match=r"^\S+nodes.csv is not the file that the run began with"):
        jdgnn.load_run(tmp_path / "run")
