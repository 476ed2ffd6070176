"""Directories and files that others may use, move, exchange or stop reading while a run goes."""

import errno
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jdgnn.experiment.cli.main import main
from jdgnn.experiment.run.directory import RunDirectory
from jdgnn.experiment.run.locks import locked
from jdgnn.files import partial_name, whole_file
from tests.experiment.run_support import CONFIG, RING, process, summary

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("shared") / "tiny.toml"
    path.write_text(CONFIG)
    return path


def test_two_processes_cannot_use_one_directory_of_seeds(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = tmp_path / "runs"
    run = ["run", str(config), "--seeds", "2", "--out", str(runs)]
    assert main(run) == 0
    before = sorted(runs.rglob("*"))
    for again in ([*run, "--overwrite"], ["run", "--resume", str(runs), "--set", "emulation.ticks=9"]):
        with locked(runs):
            assert main(again) == 2
        assert "is in use by another process" in capsys.readouterr().err
    assert sorted(runs.rglob("*")) == before


@pytest.mark.long
def test_where_data_were_moved_to_is_remembered(config: Path, tmp_path: Path) -> None:
    out = str(tmp_path / "run")
    assert main(["run", str(config), "--out", out, "--data-root", str(tmp_path / "a")]) == 0
    more = ["run", "--resume", out, "--set"]
    assert main([*more, "emulation.ticks=8", "--data-root", str(tmp_path / "b")]) == 0
    assert main([*more, "emulation.ticks=9"]) == 0
    origin = json.loads((tmp_path / "run" / "run.json").read_text())
    assert origin["data_root"] == str(tmp_path / "b")
    assert "python" in origin["versions"]


def test_other_events_than_those_that_were_replayed_are_refused(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = tmp_path / "first.npz", tmp_path / "second.npz"
    for events, seed in ((first, 0), (second, 1)):
        out = str(tmp_path / f"recorded-{seed}")
        assert main(["run", str(config), "--out", out, "--record", str(events), "--set", f"seed={seed}"]) == 0
    fewer = ["--set", "emulation.ticks=5"]
    assert main(["run", str(config), "--out", str(tmp_path / "run"), "--replay", str(first), *fewer]) == 0
    more = ["run", "--resume", str(tmp_path / "run"), "--set", "emulation.ticks=7"]
    assert main([*more, "--replay", str(second)]) == 2
    assert "second.npz is not the file from which" in capsys.readouterr().err
    first.rename(tmp_path / "moved.npz")
    assert main(more) == 2
    assert "give its new path" in capsys.readouterr().err
    assert main([*more, "--replay", str(tmp_path / "moved.npz")]) == 0


@pytest.mark.long
def test_a_run_goes_on_when_nobody_reads_what_it_says(config: Path, tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = process("run", config, *RING, "--out", tmp_path / "run", "--no-report")
    ended = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, cwd=ROOT, check=False)
    os.close(writer)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert summary(tmp_path / "run")["finished"]


def test_a_signal_that_is_ignored_stays_so(config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add_metrics = RunDirectory.add_metrics

    def hung_up(self: RunDirectory, recorded: list[dict[str, Any]]) -> None:
        add_metrics(self, recorded)
        signal.raise_signal(signal.SIGHUP)

    monkeypatch.setattr(RunDirectory, "add_metrics", hung_up)
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert main(["run", str(config), "--out", str(tmp_path / "run")]) == 0
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_link_in_place_of_a_file_that_is_being_written_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("kept")
    (tmp_path / partial_name("a")).symlink_to(tmp_path / "precious")
    with whole_file(tmp_path / "a") as file:
        file.write(b"new")
    assert (tmp_path / "precious").read_text() == "kept"
    assert (tmp_path / "a").read_text() == "new"


def test_a_directory_that_is_gone_is_told(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    add_metrics = RunDirectory.add_metrics

    def gone(self: RunDirectory, recorded: list[dict[str, Any]]) -> None:
        self.path.rename(tmp_path / "elsewhere")
        add_metrics(self, recorded)

    with monkeypatch.context() as patch:
        patch.setattr(RunDirectory, "add_metrics", gone)
        assert main(["run", str(config), "--out", str(tmp_path / "run")]) == 1
    assert "metrics could not be written at tick" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
    assert main(["run", "--resume", str(tmp_path / "elsewhere")]) == 0


def empty(run: Path) -> None:
    for path in run.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


LOSSES: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "all": (empty, "config.toml or run.json is gone", "was emptied, moved or removed"),
    "metrics": (
        lambda run: (run / "metrics.jsonl").unlink(),
        "metrics.jsonl has 0 bytes",
        "there is no checkpoint yet",
    ),
    "the configuration": (lambda run: (run / "config.toml").unlink(), "is gone", "nothing there can be resumed; start"),
}


@pytest.mark.parametrize("what", LOSSES)
def test_what_was_removed_under_a_running_run_is_noticed_at_the_next_write(
    what: str, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    remove, reason, advice = LOSSES[what]
    add_metrics = RunDirectory.add_metrics

    def removing(self: RunDirectory, recorded: list[dict[str, Any]]) -> None:
        add_metrics(self, recorded)
        remove(self.path)
        if what == "metrics":
            add_metrics(self, recorded)

    monkeypatch.setattr(RunDirectory, "add_metrics", removing)
    assert main(["run", str(config), "--out", str(tmp_path / "run")]) == 1
    told = capsys.readouterr().err
    assert f"in {tmp_path / 'run'} (" in told
    assert reason in told
    assert advice in told
    assert ("--resume" in told) == (what == "metrics")


def test_what_is_kept_is_true(tmp_path: Path) -> None:
    directory = RunDirectory(tmp_path / "run")
    directory.create("seed = 0", {})
    assert directory.kept()[1] == f"to resume it: jdgnn run --resume {tmp_path / 'run'}"
    empty(tmp_path / "run")
    (told,) = directory.kept()
    assert told.endswith("was emptied, moved or removed while the run wrote into it: nothing there can be resumed")
    directory.close()


def test_a_link_is_no_directory_to_write_into(config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    link, place = tmp_path / "link", tmp_path / "place"
    link.symlink_to(place)
    sweep = ["sweep", str(config), "--set", "push.fanout=2,3"]
    for _ in range(2):
        for command in (["run", str(config)], ["run", str(config), "--seeds", "2"], sweep):
            assert main([*command, "--out", str(link)]) == 2
            told = f"error: --out: {link} is a symbolic link to {place}; give the directory itself\n"
            assert told in capsys.readouterr().err
        assert main(["run", "--resume", str(link)]) == 2
        assert f"--resume: {link} is a symbolic link to {place}" in capsys.readouterr().err
        place.mkdir(exist_ok=True)
    assert list(place.iterdir()) == []


@pytest.mark.parametrize(
    ("method", "what", "number", "tick"),
    [
        ("add_metrics", "metrics", errno.ENOSPC, 1),
        ("sync_metrics", "a checkpoint", errno.EACCES, 7),
        ("write_arrays", "the network", errno.EDQUOT, 0),
        ("add_scores", "a snapshot", errno.ENOSPC, 1),
    ],
)
def test_what_could_not_be_written_is_named(
    method: str,
    what: str,
    number: int,
    tick: int,
    config: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def full(*_: Any, **__: Any) -> Any:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(RunDirectory, method, full)
        assert main(["run", str(config), "--out", str(tmp_path / "run")]) == 1
    error = capsys.readouterr().err
    assert f"{what} could not be written at tick {tick} in {tmp_path / 'run'} ({os.strerror(number)})" in error
    assert main(["run", "--resume", str(tmp_path / "run")]) == 0


def test_a_pipe_in_place_of_a_file_of_a_run_is_refused(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", str(config), "--out", str(tmp_path / "run")]) == 0
    for name in ("metrics.jsonl", "checkpoints/7/about/metadata", "checkpoints/7/state/wakes/0", "summary.json"):
        path = tmp_path / "run" / name
        content = path.read_bytes()
        path.unlink()
        os.mkfifo(path)
        assert main(["run", "--resume", str(tmp_path / "run"), "--set", "emulation.ticks=9"]) == 2
        assert capsys.readouterr().err.count("\n") == 1
        path.unlink()
        path.write_bytes(content)
