"""Runs that are killed, interrupted or given more ticks go on to the bits of the unbroken run."""

import json
import os
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

import jdgnn
from jdgnn.experiment.cli.main import main
from jdgnn.experiment.run import checkpoints
from jdgnn.experiment.run.directory import RunDirectory
from tests.bad_inputs import assert_told
from tests.experiment.run_support import CONFIG, LIMITED, contents, process, rows, summary
from tests.seldom import mostly_long

ROOT = Path(__file__).parents[2]
LINKS = """
[push]
link = { drop = 0.2, delay = { name = "uniform", low = 0, high = 4 } }
[gossip]
link = { drop = 0.2, delay = { name = "uniform", low = 0, high = 4 } }
[availability]
clock = { name = "bernoulli", prob = 0.5 }
"""
TICKS, ENDED = 22, 12
SAME = ("config.toml", "metrics.jsonl", "embeddings.npz", "nodes.npz")


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("resuming") / "tiny.toml"
    path.write_text(CONFIG.replace("ticks = 7", f"ticks = {TICKS}") + LINKS + "[checkpoints]\nticks = 5\n")
    return path


@pytest.fixture(scope="module")
def unbroken(config: Path) -> Path:
    path = config.parent / "unbroken"
    assert main(["run", str(config), "--out", str(path)]) == 0
    return path


def assert_same(path: Path, unbroken: Path) -> None:
    ours, theirs = contents(path), contents(unbroken)
    assert [name for name in SAME if ours[name] != theirs[name]] == []
    assert contents(path / "snapshots") == contents(unbroken / "snapshots")
    timed = {"versions", "resumed_at", "speed", "memory", *(key for key in summary(path) if key.endswith("_seconds"))}
    first, second = summary(path), summary(unbroken)
    assert {k: v for k, v in first.items() if k not in timed} == {k: v for k, v in second.items() if k not in timed}


def ends_after(path: Path, tick: int, monkeypatch: pytest.MonkeyPatch, signum: int = signal.SIGINT) -> None:
    """Has the process asked to end once a tick is recorded."""
    add_metrics = RunDirectory.add_metrics

    def asking(self: RunDirectory, recorded: list[dict[str, Any]]) -> None:
        add_metrics(self, recorded)
        if any(row["tick"] == tick for row in recorded):
            signal.raise_signal(signum)

    monkeypatch.setattr(RunDirectory, "add_metrics", asking)


@pytest.mark.parametrize(
    ("signum", "status"),
    mostly_long([(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)], [(signal.SIGTERM, 143)]),
)
def test_a_run_that_was_asked_to_end_goes_on_to_the_same_bits(
    signum: int, status: int, config: Path, unbroken: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        ends_after(tmp_path, ENDED, patch, signum)
        assert main(["run", str(config), "--out", str(tmp_path / "run")]) == status
    ended = summary(tmp_path / "run")
    assert ended["finished"] is False
    assert ended["ticks"] >= ENDED
    assert ended["last_record"] == rows(tmp_path / "run")[-1]
    assert not (tmp_path / "run" / "embeddings.npz").exists()
    assert main(["run", "--resume", str(tmp_path / "run")]) == 0
    assert summary(tmp_path / "run")["resumed_at"] == [ended["ticks"]]
    assert_same(tmp_path / "run", unbroken)


def killed(config: Path, path: Path, seconds: float) -> None:
    """Runs, kills the process so long after the first ticks, and leaves half a line in its metrics."""
    with subprocess.Popen(process("run", config, "--out", path), stdout=subprocess.DEVNULL, cwd=ROOT) as running:
        while running.poll() is None and not (path / "metrics.jsonl").exists():
            time.sleep(0.002)
        time.sleep(seconds)
        running.kill()

    if not (path / "summary.json").exists():
        with (path / "metrics.jsonl").open("a") as file:
            file.write('{"tick": 6')


def test_a_killed_run_goes_on_to_the_same_bits(config: Path, unbroken: Path, tmp_path: Path) -> None:
    killed(config, tmp_path / "run", 0.1)
    assert main(["run", "--resume", str(tmp_path / "run")]) == 0
    assert_same(tmp_path / "run", unbroken)


@pytest.mark.long
def test_runs_killed_at_many_moments_go_on_to_the_same_bits(config: Path, unbroken: Path, tmp_path: Path) -> None:
    moments = random.Random(0)
    for number in range(24):
        path = tmp_path / str(number)
        killed(config, path, moments.uniform(0, 2.5))
        ended = subprocess.run(process("run", "--resume", path), cwd=ROOT, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stderr
        assert_same(path, unbroken)


def test_a_run_with_no_checkpoint_yet_begins_again(config: Path, unbroken: Path, tmp_path: Path) -> None:
    path = tmp_path / "run"
    assert main(["run", str(config), "--out", str(path)]) == 0
    for checkpoint in (path / "checkpoints").iterdir():
        checkpoint.rename(tmp_path / checkpoint.name)
    (path / "summary.json").unlink()
    assert main(["run", "--resume", str(path)]) == 0
    assert_same(path, unbroken)


def test_more_ticks_give_the_bits_of_a_longer_run(config: Path, unbroken: Path, tmp_path: Path) -> None:
    path = tmp_path / "run"
    assert main(["run", str(config), "--out", str(path), "--set", "emulation.ticks=14"]) == 0
    assert main(["run", "--resume", str(path), "--set", f"emulation.ticks={TICKS}"]) == 0
    assert summary(path)["resumed_at"] == [14]
    assert_same(path, unbroken)


def test_a_finished_run_stays_as_it_is(unbroken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = contents(unbroken)
    assert main(["run", "--resume", str(unbroken)]) == 0
    assert "is finished" in capsys.readouterr().out
    assert contents(unbroken) == before


def test_a_damaged_checkpoint_is_told_and_the_one_before_is_taken(
    config: Path, unbroken: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "run"
    assert main(["run", str(config), "--out", str(path)]) == 0
    newest = path / "checkpoints" / str(TICKS)
    (newest / "state" / "wakes" / "0").write_bytes(b"short")
    (path / "summary.json").unlink()
    (path / "checkpoints" / "23.orbax-checkpoint-tmp").mkdir()
    capsys.readouterr()
    assert main(["run", "--resume", str(path)]) == 0
    output = " ".join(capsys.readouterr().out.split())
    assert "is damaged (wakes has 5 bytes of 160)" in output
    assert "from tick 20" in output
    assert_same(path, unbroken)


def test_a_run_of_an_earlier_version_is_refused_with_that_version(
    unbroken: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "run"
    shutil.copytree(unbroken, path)
    (path / "config.toml").write_text("key_of_that_version = 1\n" + (path / "config.toml").read_text())
    for checkpoint in (path / "checkpoints").iterdir():
        about = checkpoint / "about" / "metadata"
        about.write_text(json.dumps(json.loads(about.read_text()) | {"format": 1, "jdgnn": "0.0.9"}))
    assert main(["run", "--resume", str(path), "--set", "emulation.ticks=70"]) == 2
    assert "has format 1, of an older jdgnn (0.0.9), and this one reads 2" in capsys.readouterr().err


REFUSED = {
    "another configuration": (["--set", "optimizer.learning_rate=0.1"], "optimizer.learning_rate was 0.01 and is 0.1"),
    "fewer ticks": (["--set", "emulation.ticks=3"], "emulation.ticks: got 3, and"),
    "a new place": (["--out", "elsewhere"], "--out: cannot be combined with --resume"),
    "several seeds": (["--seeds", "3"], "--seeds: cannot be combined with --resume"),
    "to overwrite": (["--overwrite"], "--overwrite: cannot be combined with --resume"),
    "to record": (["--record", "events.npz"], "--record: cannot be combined with --resume"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_resumed_is_refused(case: str, unbroken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments, message = REFUSED[case]
    before = contents(unbroken)
    assert main(["run", "--resume", str(unbroken), *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert contents(unbroken) == before
    told = error.removeprefix("jdgnn: error: ").strip()
    assert_told("Runs that cannot go on", f"--resume {' '.join(arguments)}", told)


def test_another_file_is_compared_with_the_run(
    config: Path, unbroken: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.toml"
    other.write_text(config.read_text().replace("units = 4", "units = 5"))
    assert main(["run", str(other), "--resume", str(unbroken), "--set", "emulation.ticks=70"]) == 2
    assert "layers.0.units was 4 and is 5" in capsys.readouterr().err


def test_a_file_or_a_run_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run"]) == 2
    assert "CONFIG: is missing; give a TOML file, or --resume DIR" in capsys.readouterr().err


def test_a_directory_that_is_no_run_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--resume", str(tmp_path / "none")]) == 2
    assert "there is no such directory" in capsys.readouterr().err
    (tmp_path / "config.toml").write_text("seed = 0")
    assert main(["run", "--resume", str(tmp_path)]) == 2
    assert "holds no run.json; give the directory of a run that has begun" in capsys.readouterr().err


def test_two_processes_cannot_use_one_directory(unbroken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    directory = RunDirectory(unbroken)
    directory.open()
    try:
        assert main(["run", "--resume", str(unbroken)]) == 2
    finally:
        directory.close()
    assert "is in use by another process" in capsys.readouterr().err


def test_a_full_disk_leaves_earlier_checkpoints(
    config: Path, unbroken: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path, save = tmp_path / "run", jdgnn.save

    def full(place: Path, *arguments: object, **named: object) -> object:
        if place.name == "15":
            raise OSError(28, os.strerror(28))
        return save(place, *arguments, **named)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "save", full)
        assert main(["run", str(config), "--out", str(path)]) == 1
    assert "a checkpoint could not be written at tick 15" in capsys.readouterr().err
    assert sorted(checkpoint.name for checkpoint in (path / "checkpoints").iterdir()) == ["10", "5"]
    assert main(["run", "--resume", str(path)]) == 0
    assert_same(path, unbroken)


def test_a_run_need_not_be_saved(config: Path, tmp_path: Path) -> None:
    assert main(["run", str(config), "--out", str(tmp_path / "run"), "--set", "checkpoints.keep=0"]) == 0
    assert not (tmp_path / "run" / "checkpoints").exists()


@pytest.mark.long
def test_a_replayed_run_goes_on_with_the_same_events(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = tmp_path / "events.npz"
    assert main(["run", str(config), "--out", str(tmp_path / "recorded"), "--record", str(events)]) == 0
    other = ["run", str(config), "--set", "gossip.merge=keep_own", "--replay", str(events)]
    assert main([*other, "--out", str(tmp_path / "whole")]) == 0
    with monkeypatch.context() as patch:
        ends_after(tmp_path, ENDED, patch)
        assert main([*other, "--out", str(tmp_path / "run")]) == 130
    assert main(["run", "--resume", str(tmp_path / "run")]) == 0
    assert_same(tmp_path / "run", tmp_path / "whole")


@pytest.mark.long
def test_runs_with_several_seeds_go_on(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = ["run", str(config), "--seeds", "3", "--no-report", "--out"]
    assert main([*run, str(tmp_path / "whole")]) == 0
    save = jdgnn.save

    def ends_at_the_second(place: Path, *arguments: Any, **named: Any) -> Any:
        if place.parts[-3:] == ("seed-1", "checkpoints", "15"):
            raise OSError(28, os.strerror(28))
        return save(place, *arguments, **named)

    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "save", ends_at_the_second)
        assert main([*run, str(tmp_path / "runs")]) == 1
    assert not (tmp_path / "runs" / "seed-2").exists()
    assert main(["run", "--resume", str(tmp_path / "runs"), "--replay", "events.npz"]) == 2
    assert "--replay: expected one run, got several seeds" in capsys.readouterr().err
    assert main(["run", "--resume", str(tmp_path / "runs")]) == 0
    for seed in range(3):
        assert_same(tmp_path / "runs" / f"seed-{seed}", tmp_path / "whole" / f"seed-{seed}")
    assert (tmp_path / "runs" / "seeds.json").read_bytes() == (tmp_path / "whole" / "seeds.json").read_bytes()


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"seeds": []}', '{"seeds": ["../x"]}', '{"seeds": [7]}', '{"a": 1, "seeds": 5}']
)
def test_seeds_that_make_no_sense_are_refused(content: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "run.json").write_text(content)
    assert main(["run", "--resume", str(tmp_path)]) == 2
    assert "start again with --overwrite" in capsys.readouterr().err


@pytest.mark.long
def test_more_ticks_survive_a_kill_before_the_next_checkpoint(
    config: Path, unbroken: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, more = tmp_path / "run", ["--set", f"emulation.ticks={TICKS}"]
    assert main(["run", str(config), "--out", str(path), "--set", "emulation.ticks=14"]) == 0

    def dies(*_: Any, **__: Any) -> Any:
        raise SystemExit(9)

    for name in ("write_summary", "write_config", "write_metrics", "add_metrics"):
        with monkeypatch.context() as patch:
            patch.setattr(RunDirectory, name, dies)
            with pytest.raises(SystemExit):
                main(["run", "--resume", str(path), *more])
    assert main(["run", "--resume", str(path), *more]) == 0
    assert_same(path, unbroken)


@pytest.mark.long
def test_a_disk_that_is_really_full_is_told(config: Path, tmp_path: Path) -> None:
    path = tmp_path / "run"
    asked = process(
        *("run", config, "--out", path, "--set", f"emulation.record_every={TICKS}"), before=LIMITED.format(bytes=6000)
    )
    ended = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 1, ended.stderr
    told = [line for line in ended.stderr.splitlines() if line.startswith("jdgnn: error: ")]  # threads may tell too
    assert "a checkpoint could not be written at tick 5 in" in told[0]
    assert list((path / "checkpoints").iterdir()) == []


def test_only_what_is_a_checkpoint_is_ever_removed(config: Path, tmp_path: Path) -> None:
    path = tmp_path / "run"
    assert main(["run", str(config), "--out", str(path), "--set", "emulation.ticks=10"]) == 0
    folder = path / "checkpoints"
    for name in ("10.backup", "precious", "12.orbax-checkpoint-tmp", ".5.removed"):
        (folder / name).mkdir()
    assert main(["run", "--resume", str(path), "--set", "emulation.ticks=20"]) == 0
    assert {entry.name for entry in folder.iterdir()} == {"10.backup", "precious", "15", "20"}


def test_checkpoints_that_cannot_be_read_are_no_reason_to_begin_again(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "run"
    assert main(["run", str(config), "--out", str(path), "--set", "emulation.ticks=10"]) == 0
    for checkpoint in (path / "checkpoints").iterdir():
        (checkpoint / "about" / "metadata").write_text("{")
    before = contents(path)
    assert main(["run", "--resume", str(path), "--set", "emulation.ticks=20"]) == 2
    assert "no checkpoint in" in capsys.readouterr().err
    assert contents(path) == before


@pytest.mark.parametrize(
    "left", mostly_long([[".lock"], ["run.json", ".lock"], [".config.toml.partial"]], [["run.json", ".lock"]])
)
def test_what_a_run_left_that_never_began_can_be_replaced(left: list[str], config: Path, tmp_path: Path) -> None:
    for name in left:
        (tmp_path / name).write_text("{}")
    assert main(["run", str(config), "--out", str(tmp_path), "--overwrite"]) == 0


def test_a_replay_is_for_runs_that_were_replayed(unbroken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--resume", str(unbroken), "--replay", "x.npz", "--set", "emulation.ticks=70"]) == 2
    assert "draws its events; leave it out" in capsys.readouterr().err


def test_an_error_after_a_signal_is_not_hidden(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: Any, **__: Any) -> Any:
        raise OSError(28, os.strerror(28))

    ends_after(tmp_path, ENDED, monkeypatch)
    monkeypatch.setattr(checkpoints, "save", full)
    assert main(["run", str(config), "--out", str(tmp_path / "run"), "--set", "checkpoints.ticks=100"]) == 1
    assert "a checkpoint could not be written" in capsys.readouterr().err
