"""The command line on a tiny network: files, output, exit statuses, and that nothing is overwritten."""

import contextlib
import dataclasses
import io
import signal
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import jdgnn
from jdgnn.evaluation import DEFAULT_TASKS
from jdgnn.experiment.cli.main import main
from jdgnn.experiment.run import experiment, loop, memory, preparing
from jdgnn.experiment.run.directory import FILES
from jdgnn.network.generators import ring
from jdgnn.network.splits import random_splits
from tests.bad_inputs import assert_told
from tests.experiment.run_support import CONFIG, RING, arrays, assert_every_message_has_one_end, contents, rows, summary
from tests.seldom import mostly_long

EVALUATED = ["learned", "untrained", "raw", "propagated_1hop", "propagated_2hop", "propagated_3hop", "projected_2hop"]


class Golden(NamedTuple):
    config: Path
    directory: Path
    output: str


@pytest.fixture(scope="module")
def golden(tmp_path_factory: pytest.TempPathFactory) -> Golden:
    folder = tmp_path_factory.mktemp("golden")
    config = folder / "tiny.toml"
    config.write_text(CONFIG.replace('tasks = ["linear_probe", "clustering"]\n', ""))  # the default: all four
    output = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(output):
        patch.setenv("COLUMNS", "80")
        assert main(["run", str(config), "--out", str(folder / "run")]) == 0
    return Golden(config, folder / "run", output.getvalue())


def test_a_run_writes_its_files_and_nothing_else(golden: Golden) -> None:
    assert set(contents(golden.directory)) == set(FILES)


def test_metrics_have_a_line_for_each_recorded_tick(golden: Golden) -> None:
    recorded = rows(golden.directory)
    assert [row["tick"] for row in recorded] == [3, 6, 7]
    assert set(recorded[0]) >= {"loss", "stepped", "consensus_distance", "norm_ratio", "messages_sent", "bytes_sent"}


def test_the_summary_says_what_was_found_and_with_what(golden: Golden) -> None:
    found = summary(golden.directory)
    assert (found["dataset"], found["nodes"], found["ticks"], found["seed"]) == ("stochastic_block_model", 40, 7, 0)
    assert list(found["tasks"]) == list(DEFAULT_TASKS)
    assert list(found["tasks"]["linear_probe"]["accuracy"]) == EVALUATED
    for score in found["tasks"]["linear_probe"]["accuracy"].values():
        assert 0 <= score["mean"] <= 1
        assert score["sd"] >= 0
        assert len(score["values"]) == 2
    assert found["tasks"]["linear_probe"]["accuracy"]["learned"]["width"] == 4
    assert found["directed_edges"] > 0
    assert "edges" not in found
    assert found["warnings"]["wakes_without_step"] == [rows(golden.directory)[-1]["num_idle"][0] - 40]
    assert found["wall_seconds"] > found["emulate_seconds"] > 0
    assert found["consensus_distance"] == rows(golden.directory)[-1]["consensus_distance"]
    assert found["messages"]["model"]["sent"] == 7 * 40
    assert found["warnings"]["evicted_models"] == found["messages"]["model"]["evicted"]
    assert found["warnings"]["never_awake"] == found["warnings"]["crowded_ticks"] == 0
    assert_every_message_has_one_end(found)
    assert found["online"] == found["active"] == 1
    assert found["wakes"] == 7 * 40
    assert set(found["quantiles"]["wakes"].values()) == {7}
    assert set(found["quantiles"]["staleness"].values()) == {1}
    assert found["recorded"] is None
    assert found["replayed"] is None
    assert found["versions"]["jdgnn"] == jdgnn.__version__
    assert set(found["versions"]) >= {"python", "jax", "jaxlib", "flax", "optax", "numpy", "scikit-learn"}


def test_embeddings_are_read_without_pickle(golden: Golden) -> None:
    with np.load(golden.directory / "embeddings.npz", allow_pickle=False) as arrays:
        assert arrays["embeddings"].shape == (40, 4)
        assert arrays["labels"].shape == (40,)
        assert arrays["layer_widths"].tolist() == [4]


def test_what_each_node_did_is_read_without_pickle(golden: Golden) -> None:
    nodes, messages = arrays(golden.directory, "nodes.npz"), summary(golden.directory)["messages"]
    assert nodes["wakes"].tolist() == [7] * 40
    for kind, counts in enumerate(messages.values()):
        assert [*nodes["messages"][:, kind].sum(axis=0), nodes["in_flight"][:, kind].sum()] == list(counts.values())


def test_output_that_is_no_terminal_is_plain_and_fits_80_columns(golden: Golden) -> None:
    assert "\x1b" not in golden.output
    assert "\r" not in golden.output
    assert "tick 7/7, " in golden.output
    table = golden.output[golden.output.index("Evaluation on") :]
    assert "learned" in table
    assert "untrained encoder" in table
    assert "accuracy %" in table
    assert "±" in table
    lines = golden.output.splitlines()
    assert lines[-1] == f"files   {', '.join((*FILES, 'snapshots'))} in {golden.directory}"
    assert not [line for line in lines if line != line.rstrip()]
    assert lines[-2].endswith(f"kB in {golden.directory}/checkpoints, to resume from; it can be removed")
    assert max(len(line) for line in lines if not line.startswith(("files", "saved", "Network"))) <= 80
    first_words = [line.split(" ", 1)[0] for line in lines]
    closing = dict.fromkeys(first_words[first_words.index("time") :])  # of several notes, one
    assert list(closing) == ["time", "sent", "models", "ranks", "way", "on", "note", "saved", "files"]
    assert "staleness" not in golden.output
    assert "delivered" not in golden.output


def test_the_written_configuration_repeats_the_run(golden: Golden, tmp_path: Path) -> None:
    assert main(["run", str(golden.directory / "config.toml"), "--out", str(tmp_path / "again")]) == 0
    first, second = contents(golden.directory), contents(tmp_path / "again")
    assert second["config.toml"] == first["config.toml"]
    assert second["metrics.jsonl"] == first["metrics.jsonl"]
    with np.load(golden.directory / "embeddings.npz") as ours, np.load(tmp_path / "again" / "embeddings.npz") as theirs:
        np.testing.assert_array_equal(ours["embeddings"], theirs["embeddings"])
    assert summary(tmp_path / "again")["tasks"] == summary(golden.directory)["tasks"]


def test_a_run_is_never_overwritten_unasked(golden: Golden, capsys: pytest.CaptureFixture[str]) -> None:
    before = contents(golden.directory)
    assert main(["run", str(golden.config), "--out", str(golden.directory), "--set", "seed=1"]) == 2
    assert contents(golden.directory) == before
    message = capsys.readouterr().err
    assert str(golden.directory) in message
    assert "--overwrite" in message


def test_overwrite_replaces_a_run(golden: Golden, tmp_path: Path) -> None:
    for name in (*FILES, ".summary.json.partial"):
        (tmp_path / name).write_text("old")
    assert main(["run", str(golden.config), "--out", str(tmp_path), "--overwrite", "--set", "emulation.ticks=4"]) == 0
    assert set(contents(tmp_path)) == set(FILES)
    assert summary(tmp_path)["ticks"] == 4
    assert [row["tick"] for row in rows(tmp_path)] == [3, 4]


@pytest.mark.parametrize(
    ("names", "reason"),
    [(("metrics.jsonl",), "it holds no config.toml"), (("config.toml", "thesis.tex"), "it holds thesis.tex")],
)
def test_overwrite_refuses_a_directory_that_is_no_run(
    names: tuple[str, ...], reason: str, golden: Golden, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in names:
        (tmp_path / name).write_text("mine")
    assert main(["run", str(golden.config), "--out", str(tmp_path), "--overwrite"]) == 2
    assert reason in capsys.readouterr().err
    assert set(contents(tmp_path).values()) == {b"mine"}


def test_overwrite_needs_to_be_told_what(golden: Golden, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(golden.config), "--overwrite"]) == 2
    assert "expected --out DIR or --record FILE" in capsys.readouterr().err


def test_set_changes_the_run_and_its_configuration(golden: Golden, tmp_path: Path) -> None:
    overrides = ["--set", "seed=5", "--set", "optimizer.rate_schedule.name=constant", "--set", "emulation.ticks=2"]
    assert main(["run", str(golden.config), "--out", str(tmp_path / "run"), *overrides]) == 0
    written = tomllib.loads((tmp_path / "run" / "config.toml").read_text())
    assert written["seed"] == 5
    assert written["optimizer"]["rate_schedule"] == {"name": "constant"}
    assert summary(tmp_path / "run")["ticks"] == 2


def test_runs_are_numbered_if_no_directory_is_given(
    golden: Golden, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs" / "tiny-1").mkdir(parents=True)
    assert main(["run", str(golden.config)]) == 0
    assert set(contents(tmp_path / "runs" / "tiny-2")) == set(FILES)
    assert main(["run", "runs/tiny-2/config.toml"]) == 0
    assert set(contents(tmp_path / "runs" / "tiny-2-1")) == set(FILES)


def test_a_network_without_labels_is_not_evaluated(
    golden: Golden, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network = ["--set", "network={name = 'ring', num_nodes = 12, num_features = 3, projection = 2}"]
    assert main(["run", str(golden.config), "--out", str(tmp_path / "run"), *network]) == 0
    output = capsys.readouterr().out
    assert "no embedding was evaluated: the network has no labels" in output
    assert "evaluating" not in output
    assert summary(tmp_path / "run")["tasks"] == {}
    with np.load(tmp_path / "run" / "embeddings.npz") as arrays:
        assert set(arrays) == {"embeddings", "layer_widths"}


REFUSED = {
    "emulation.tics=5": "emulation.tics",
    "network.num_nodes=1": "network.num_nodes: expected a whole number of at least 2, got 1",
    "network.num_nodes=30000000": "network.num_nodes: got 30,000,000, and making such a network takes",
    "network={name = 'barabasi_albert', num_links = 900}": "network.num_nodes: got 1,000, and making such a network",
    "network.mean_degree=400": "network.mean_degree: got 400",
    "evaluation.per_class=11": "evaluation.per_class: got 11",
    "push.enabled=false": "push.enabled: got false",
    "gossip.pool=2": "gossip.pool: has no effect",
    "emulation.active_fraction=0.5": "active_fraction: has no effect",
    "availability.on_receipt=true": "availability.on_receipt: has no effect",
    "publish.link.drop={name = 'measured', default = 0.1}": "drop: measured needs a network with link quality",
    "publish.link.delay=2147483647": "publish.link.delay: takes ",
    "push.link.delay=2147483647": "push.link.delay: takes ",
    "gossip.link.delay=2147483647": "gossip.pool: takes ",
    "network={name = 'cora'}": "data_root",
    "network={name = 'digits'}": "evaluation.num_splits: has no effect, since digits has splits of its own",
    "push.fanout=99999999999": "push.fanout: expected a number below 2147483648, got 99999999999",
    "push.fanout=2147483647": "push.fanout: takes ",
    "push.capacity=2147483647": "push.capacity: takes ",
    "gossip.capacity=2147483647": "gossip.capacity: takes ",
    "layers.0.units=2147483647": "layers.0: takes ",
    "emulation.num_positives=2147483647": "emulation.num_positives: takes ",
    "network.projection=2147483647": "network.projection: takes ",
}


@pytest.mark.parametrize("override", REFUSED)
def test_bad_input_ends_with_one_sentence_before_anything_is_written(
    override: str,
    golden: Golden,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(memory, "available_bytes", lambda: 10**9)
    monkeypatch.setattr(memory, "host_bytes", lambda: 10**8)
    where = ["--out", str(tmp_path / "run"), "--data-root", str(tmp_path / "nowhere")]
    assert main(["run", str(golden.config), *where, "--set", override]) == 2
    message = capsys.readouterr().err
    assert message.startswith("jdgnn: error: ")
    assert REFUSED[override] in message
    assert message.count("\n") == 1
    assert not (tmp_path / "run").exists()
    told = message.removeprefix("jdgnn: error: ").strip()
    assert_told("Runs that are invalid or do not fit, by what `--set` changes", override, told)


def test_a_file_in_the_way_is_refused(golden: Golden, capsys: pytest.CaptureFixture[str]) -> None:
    before = golden.config.read_text()
    assert main(["run", str(golden.config), "--out", str(golden.config)]) == 2
    assert "is a file" in capsys.readouterr().err
    assert golden.config.read_text() == before


@pytest.mark.parametrize("where", ["{file}/run", "{folder}/" + 300 * "a"])
def test_a_place_that_cannot_be_written_is_refused_before_loading(
    where: str, golden: Golden, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", str(golden.config), "--out", where.format(file=golden.config, folder=tmp_path)]) == 2
    output, message = capsys.readouterr()
    assert message.startswith("jdgnn: error: --out: ")
    assert message.count("\n") == 1
    assert output == ""


@pytest.mark.long
def test_a_network_with_splits_of_its_own_needs_no_evaluation_table(
    golden: Golden, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = ring(60, num_features=3)
    labels = np.arange(60, dtype=np.int32) % 2
    labelled = dataclasses.replace(network, labels=labels, splits=random_splits(labels, 2, per_class=3, validation=20))
    monkeypatch.setattr(preparing, "make_network", lambda *_, **__: labelled)
    config = tmp_path / "own.toml"
    config.write_text(CONFIG.partition("[evaluation]")[0])
    assert main(["run", str(config), "--out", str(tmp_path / "run")]) == 0
    written = tomllib.loads((tmp_path / "run" / "config.toml").read_text())
    assert written["evaluation"] == {"tasks": list(DEFAULT_TASKS)}
    assert main(["run", str(tmp_path / "run" / "config.toml"), "--out", str(tmp_path / "again")]) == 0


def test_too_little_memory_is_no_traceback(
    golden: Golden, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise MemoryError("Unable to allocate 7 TiB")

    monkeypatch.setattr(preparing, "make_network", full)
    assert main(["run", str(golden.config), "--out", str(tmp_path / "run")]) == 2
    assert "Unable to allocate 7 TiB" in capsys.readouterr().err


def test_a_run_that_diverges_says_so_and_keeps_its_metrics(
    golden: Golden, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    diverging = ["--set", "optimizer.learning_rate=1e38"]
    assert main(["run", str(golden.config), "--out", str(tmp_path / "run"), *diverging]) == 2
    message = capsys.readouterr().err
    assert "the run has diverged by tick 3" in message
    assert "Usually optimizer.learning_rate is too large" in message
    assert rows(tmp_path / "run")


def kept(path: Path) -> str:
    """What is said after Ctrl-C while nodes run."""
    return (
        "jdgnn: ends after these ticks; once more ends it at once\n"
        f"jdgnn: interrupted; everything recorded so far is in {path}; to resume it: jdgnn run --resume {path}\n"
    )


def test_an_interrupted_run_ends_cleanly(
    golden: Golden, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: Any, **__: Any) -> None:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(loop, "run", interrupted)
    assert main(["run", str(golden.config), "--out", str(tmp_path / "run")]) == 130
    assert capfd.readouterr().err == kept(tmp_path / "run")


def test_an_interrupt_that_was_swallowed_still_ends_the_run(
    golden: Golden, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    add_metrics = experiment.RunDirectory.add_metrics

    def swallowing(self: Any, recorded: Any) -> None:
        add_metrics(self, recorded)
        with contextlib.suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(experiment.RunDirectory, "add_metrics", swallowing)
    assert main(["run", str(golden.config), "--out", str(tmp_path / "run")]) == 130
    assert "interrupted; everything recorded so far" in capsys.readouterr().err
    assert summary(tmp_path / "run")["finished"] is False


BLOCKED = """
import hashlib, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # also where whoever started the tests ignores it
from jdgnn.experiment.run import loop
from jdgnn.experiment.cli.main import main
from tests.seldom import mostly_long

def for_minutes(*_, **__):  # in C, as a compiler does
    print("blocked", flush=True)
    hashlib.pbkdf2_hmac("sha256", b"", b"", 10**9)

{where} = for_minutes
sys.exit(main())
"""


@pytest.mark.parametrize(
    ("where", "num_signals"),
    mostly_long([("loop.compile_ahead", 1), ("loop.run", 2)], [("loop.run", 2)]),
)
def test_what_no_handler_can_interrupt_is_ended(golden: Golden, tmp_path: Path, where: str, num_signals: int) -> None:
    """Compiling ends at the first signal; ticks that are being computed at the second, after a word about it."""
    path = tmp_path / "run"
    command = [sys.executable, "-c", BLOCKED.format(where=where), "run", str(golden.config), *RING, "--out", str(path)]
    pipe, root = subprocess.PIPE, Path(__file__).parents[2]
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, cwd=root) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert "blocked\n" in process.stdout
        process.send_signal(signal.SIGINT)
        said, end = kept(path).splitlines(keepends=True)
        if num_signals == 2:
            assert process.stderr.readline() == said
            process.send_signal(signal.SIGINT)
        _, message = process.communicate(timeout=60)
    assert process.returncode == 130
    assert message == end


def test_a_disk_error_is_no_traceback(
    golden: Golden, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(experiment.RunDirectory, "add_metrics", full)
    assert main(["run", str(golden.config), "--out", str(tmp_path / "run")]) == 1
    assert "No space left on device" in capsys.readouterr().err


def test_data_sets_are_listed_with_where_they_are_read_from(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["datasets", "list", "--data-root", str(tmp_path)]) == 0
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert max(map(len, lines)) <= 80
    sources = {line.split()[0]: line.split()[-1] for line in lines if line.startswith(("digits", "cora", "freifunk"))}
    assert sources == {"digits": "embedded", "cora": "missing", "freifunk": "missing"}
    assert any(line.startswith("Tasks of freifunk: family, city, gateway;") for line in lines)


def test_data_sets_are_not_looked_for_where_nothing_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["datasets", "list", "--data-root", str(tmp_path / "nope")]) == 2
    assert "--data-root: there is no directory" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["rum", "a.toml"], "No such command 'rum'. Did you mean 'run'? See jdgnn --help."),
        (["run", "a.toml", "--outt", "b"], "No such option: --outt (Possible options: --out). See jdgnn run --help."),
        (["run", "a.toml", "--out"], "Option '--out' requires an argument."),
        (["run", "a.toml", "b.toml"], "Got unexpected extra argument(s) (b.toml). See jdgnn run --help."),
        (["datasets"], "Missing command. See jdgnn datasets --help."),
        (["compare", "a"], "Missing argument 'B'. See jdgnn compare --help."),
        (["run", "--\x1b[2J"], r"No such option: --\x1b[2J. See jdgnn run --help."),
    ],
)
def test_wrong_usage_has_status_2_and_one_sentence(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert capsys.readouterr() == ("", f"jdgnn: error: {sentence}\n")


def test_a_process_ends_with_the_status_and_no_traceback(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "jdgnn", "run", str(tmp_path / "none.toml")],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr.splitlines()[-1].startswith(f"jdgnn: error: {tmp_path / 'none.toml'}: there is no such file")
    assert "Traceback" not in ended.stderr


def test_the_package_alone_does_without_what_the_command_line_needs() -> None:
    code = "import jdgnn, sys; print({'pydantic', 'tomli_w', 'typer', 'jdgnn.experiment'} & set(sys.modules))"
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )
    assert ended.stdout == "set()\n"
