"""Directories of runs, and their files, that somebody has changed: rejected in one sentence, never believed."""

import bz2
import io
import json
import os
import shlex
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jdgnn.emulation.checkpoint import _seal
from jdgnn.experiment.cli.main import main
from tests.experiment.run_support import CONFIG, LIMITED, RING, process, rows, summary
from tests.support import ROOT

MORE = ["--set", "emulation.ticks=9"]


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("hostile") / "tiny.toml"
    path.write_text(CONFIG)
    return path


@pytest.fixture(scope="module")
def finished(config: Path) -> Path:
    path = config.parent / "finished"
    assert main(["run", str(config), "--out", str(path)]) == 0
    return path


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    """A finished run that may be spoilt."""
    return Path(shutil.copytree(finished, tmp_path / "run"))


def refusal(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    assert main(["run", *arguments]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    return error


def noted(run: Path, **changes: Any) -> None:
    """Changes the notes of the last checkpoint, with a seal that fits."""
    file = run / "checkpoints" / "7" / "about" / "metadata"
    about = json.loads(file.read_text())
    about["notes"] |= changes
    file.write_text(json.dumps({**about, "seal": _seal(about)}))


def pipe(run: Path) -> None:
    (run / "checkpoints" / "7" / "state" / "wakes" / "0").unlink()
    os.mkfifo(run / "checkpoints" / "7" / "state" / "wakes" / "0")


def link(run: Path) -> None:
    (run / "checkpoints" / "7" / "state" / "wakes" / "0").unlink()
    (run / "checkpoints" / "7" / "state" / "wakes" / "0").symlink_to("/dev/zero")


def reversed_rows(run: Path) -> None:
    (run / "metrics.jsonl").write_text("\n".join(map(json.dumps, reversed(rows(run)))) + "\n")


def rows_of_texts(run: Path) -> None:
    (run / "metrics.jsonl").write_text("\n".join(json.dumps({**row, "online": "x"}) for row in rows(run)) + "\n")


def rows_of_little(run: Path) -> None:
    little = [{name: row[name] for name in ("tick", "loss", "online", "active")} for row in rows(run)]
    (run / "metrics.jsonl").write_text("\n".join(map(json.dumps, little)) + "\n")


def rows_without_counts(run: Path) -> None:
    counts = {"embedding": None, "push": 0, "model": 0}
    changed = [{**row, "messages_delivered": counts} for row in rows(run)]
    (run / "metrics.jsonl").write_text("\n".join(map(json.dumps, changed)) + "\n")


def rows_without_spread(run: Path) -> None:
    (run / "metrics.jsonl").write_text("\n".join(json.dumps({**row, "quantiles": {}}) for row in rows(run)) + "\n")


def no_folder(run: Path) -> None:
    shutil.rmtree(run / "checkpoints")
    (run / "checkpoints").write_text("a file")


DAMAGES: dict[str, tuple[Callable[[Path], None], str]] = {
    "a pipe in place of an array": (pipe, "no checkpoint in"),
    "an array that is a link to a device": (link, "no checkpoint in"),
    "rows in another order": (reversed_rows, "has no sound line of tick 3"),
    "rows with texts for numbers": (rows_of_texts, "has no sound line of tick 3"),
    "rows that lack figures": (rows_of_little, "has no sound line of tick 3"),
    "rows whose counts are none": (rows_without_counts, "has no sound line of tick 3"),
    "rows that do not tell how nodes differ": (rows_without_spread, "has no sound line of tick 3"),
    "a file in place of checkpoints": (no_folder, "is no directory"),
    "seconds that are no number": (lambda run: noted(run, seconds=float("nan")), "that jdgnn run has not written"),
    "endless seconds": (lambda run: noted(run, seconds=10**400), "that jdgnn run has not written"),
    "ticks that are none": (lambda run: noted(run, resumed_at=[0.5]), "that jdgnn run has not written"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_what_is_in_a_directory_is_not_believed(name: str, run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    damage, message = DAMAGES[name]
    damage(run)
    (run / "summary.json").unlink()
    assert message in refusal(["--resume", str(run), *MORE], capsys)


@pytest.mark.long
def test_another_trace_under_the_same_name_is_refused(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trace = tmp_path / "trace.csv"
    trace.write_text("node,start,end\n" + "".join(f"{node},0,99\n" for node in range(40)))
    with_trace = ["--set", f"availability.presence={{name = 'trace', path = '{trace}'}}"]
    assert main(["run", str(config), "--out", str(tmp_path / "run"), *with_trace]) == 0
    before = trace.read_text()
    trace.write_text(before.replace("0,0,99", "0,0,8"))
    assert "is not the file that the run began with" in refusal(["--resume", str(tmp_path / "run"), *MORE], capsys)
    trace.write_text(before)
    assert main(["run", "--resume", str(tmp_path / "run"), *MORE]) == 0


def test_a_replayed_run_that_ended_before_it_was_judged_is_judged(config: Path, tmp_path: Path) -> None:
    events, out = tmp_path / "events.npz", tmp_path / "run"
    assert main(["run", str(config), "--out", str(tmp_path / "recorded"), "--record", str(events)]) == 0
    assert main(["run", str(config), "--out", str(out), "--replay", str(events)]) == 0
    digest = summary(out)["digest"]
    (out / "summary.json").unlink()
    assert main(["run", "--resume", str(out)]) == 0
    assert summary(out)["digest"] == digest


def test_a_record_that_unpacks_without_end_is_refused(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A member in bzip2 whose size is a lie: Python would unpack all of it before it looks."""
    packed, archive = bz2.compress(bytes(10**6)), io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("header.npy", packed)
    content = bytearray(archive.getvalue())
    for signature, place in ((b"PK\3\4", 8), (b"PK\1\2", 10)):
        at = content.index(signature) + place
        content[at : at + 2] = (12).to_bytes(2, "little")
    (tmp_path / "bomb.npz").write_bytes(content)
    replay = [str(config), "--out", str(tmp_path / "run"), "--replay", str(tmp_path / "bomb.npz")]
    assert "header.npy is compressed in a way that NumPy does not write; record it again" in refusal(replay, capsys)


def test_a_torn_record_can_be_replaced(config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    events, precious = tmp_path / "events.npz", tmp_path / "precious.npz"
    run = [str(config), "--out", str(tmp_path / "run"), "--overwrite", "--record"]
    assert main(["run", *run, str(events)]) == 0
    events.write_bytes(events.read_bytes()[:2000])
    assert main(["run", *run, str(events)]) == 0
    precious.write_bytes(b"precious")
    assert "is no record of events" in refusal([*run, str(precious)], capsys)


@pytest.mark.long
def test_a_full_disk_is_told_of_a_record_too(config: Path, tmp_path: Path) -> None:
    events = tmp_path / "events.npz"
    asked = ("run", config, *RING, "--out", tmp_path / "run", "--record", events, "--set", "checkpoints.keep=0")
    ended = subprocess.run(
        process(*asked, before=LIMITED.format(bytes=3000)), cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert f"jdgnn: error: record: {events} could not be written" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.long
@pytest.mark.parametrize("shell", ["PYTHONIOENCODING=ascii {} > {}", "{} >&-; : {}"])
def test_any_output_will_do(shell: str, config: Path, tmp_path: Path) -> None:
    run = shlex.join(process("run", config, *RING, "--out", tmp_path / "run", "--no-report"))
    command = shell.format(run, tmp_path / "output")
    ended = subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert summary(tmp_path / "run")["finished"]


def test_a_name_that_cannot_be_written_down_is_refused(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "is not UTF-8; give another name" in refusal([str(config), "--out", "d\udcff"], capsys)


def test_seeds_are_bounded_and_stay(config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "at most 10000 at a time" in refusal([str(config), "--seeds", "4000000000"], capsys)
    assert main(["run", str(config), "--seeds", "1", "--out", str(tmp_path / "runs")]) == 0
    again = refusal(["--resume", str(tmp_path / "runs"), "--set", "seed=9"], capsys)
    assert "got seed=9 for runs with several seeds" in again


@pytest.mark.parametrize("values", [["0.5", "0.75"], []])
def test_runs_that_say_no_sound_figures_are_not_compared(
    values: list[str], finished: Path, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = summary(finished)
    for figure in told["tasks"]["linear_probe"]["accuracy"].values():
        figure["values"] = values
    (run / "summary.json").write_text(json.dumps(told))
    assert main(["compare", str(finished), str(run)]) == 2
    assert "summary.json: invalid tasks.linear_probe" in capsys.readouterr().err
