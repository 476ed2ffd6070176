"""Event files hold what was recorded, once for each tick, and are written where they were asked for."""

import struct
import sys
from pathlib import Path
from typing import Any

import pytest
from tensorboardX.proto.event_pb2 import Event, SessionLog
from tensorboardX.proto.plugin_hparams_pb2 import HParamsPluginData

from jdgnn.evaluation import TASKS
from jdgnn.experiment.cli.main import main
from jdgnn.experiment.run.tensorboard import tags
from tests.experiment.run_support import CONFIG, rows, summary

Drawn = dict[str, dict[int, float]]


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("config") / "tiny.toml"
    path.write_text(CONFIG)
    return path


@pytest.fixture(scope="module")
def run(config: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run with event files; not to be written to."""
    path = tmp_path_factory.mktemp("run") / "a"
    assert main(["run", str(config), "--out", str(path), "--tensorboard"]) == 0
    return path


def _events(folder: Path) -> list[Any]:
    events = []
    for path in sorted(folder.glob("events.out.tfevents.*")):
        data, place = path.read_bytes(), 0
        while place < len(data):
            (size,) = struct.unpack("<Q", data[place : place + 8])
            events.append(Event.FromString(data[place + 12 : place + 12 + size]))
            place += 16 + size
    return events


TASK_TAGS = tuple(TASKS)


def _drawn(folder: Path) -> Drawn:
    """What TensorBoard draws: later sessions take away what they do anew, and no tick may then be there twice."""
    found: Drawn = {}
    for event in _events(folder):
        if event.session_log.status == SessionLog.START:
            found = {tag: {step: y for step, y in of.items() if step < event.step} for tag, of in found.items()}
        for value in event.summary.value:
            if value.HasField("simple_value"):
                of_tag = found.setdefault(value.tag, {})
                is_last = value.tag.startswith(TASK_TAGS)  # once as it goes, once at the end
                assert is_last or event.step not in of_tag, (value.tag, event.step)
                of_tag[event.step] = value.simple_value
    return found


def _assert_is_drawn(recorded: list[dict[str, Any]], drawn: Drawn) -> None:
    expected: dict[str, dict[int, Any]] = {}
    for row in recorded:
        for tag, value in tags(row):
            expected.setdefault(tag, {})[row["tick"]] = pytest.approx(value, rel=1e-6)
    assert {tag: of for tag, of in drawn.items() if not tag.startswith(TASK_TAGS)} == expected


def test_every_recorded_figure_is_drawn_under_a_tag(run: Path) -> None:
    drawn = _drawn(run / "tensorboard")
    _assert_is_drawn(rows(run), drawn)
    last = rows(run)[-1]
    assert drawn["loss/layer_1"][7] == pytest.approx(last["loss"][0])
    assert drawn["messages/delivered/push"][7] == last["messages_delivered"]["push"]
    assert drawn["staleness/quantile_95"][7] == pytest.approx(last["quantiles"]["staleness"][5])
    assert "aux/layer_1/positive_similarity" in drawn


def test_the_configuration_and_the_scores_are_beside_them(run: Path) -> None:
    probed = summary(run)["tasks"]["linear_probe"]["accuracy"]
    drawn = _drawn(run / "tensorboard")
    for name, found in probed.items():
        assert drawn[f"linear_probe/accuracy/{name}"][7] == pytest.approx(found["mean"])
    values = {value.tag: value for event in _events(run / "tensorboard") for value in event.summary.value}
    text = values["configuration/text_summary"].tensor.string_val[0].decode()
    assert [line[4:] for line in text.splitlines()] == (run / "config.toml").read_text().splitlines()
    start = HParamsPluginData.FromString(values["_hparams_/session_start_info"].metadata.plugin_data.content)
    assert start.session_start_info.hparams["optimizer.learning_rate"].number_value == 0.01


def test_a_curve_and_its_baselines_are_of_the_same_splits_to_its_end(config: Path, tmp_path: Path) -> None:
    path = tmp_path / "a"
    assert main(["run", str(config), "--out", str(path), "--tensorboard", "--set", "snapshots.num_splits=1"]) == 0
    probed, drawn = summary(path)["tasks"]["linear_probe"]["accuracy"], _drawn(path / "tensorboard")
    for name, found in probed.items():
        curve = drawn[f"linear_probe_first_1/accuracy/{name}"]
        assert curve[7] == pytest.approx(found["values"][0])
        assert drawn[f"linear_probe/accuracy/{name}"] == {7: pytest.approx(found["mean"])}
        assert len(curve) > 1
        assert name == "learned" or len(set(curve.values())) == 1


def test_a_run_that_goes_on_is_drawn_without_doubles(config: Path, tmp_path: Path) -> None:
    path = tmp_path / "a"
    assert main(["run", str(config), "--out", str(path), "--tensorboard", "--set", "checkpoints.ticks=4"]) == 0
    (path / "summary.json").unlink()
    (newest,) = (entry for entry in (path / "checkpoints").iterdir() if entry.name == "7")
    newest.rename(tmp_path / "dropped")
    assert main(["run", "--resume", str(path)]) == 0
    assert summary(path)["resumed_at"] == [4]
    drawn = _drawn(path / "tensorboard")
    _assert_is_drawn(rows(path), drawn)
    assert len(list((path / "tensorboard").iterdir())) == 2


def test_event_files_of_a_finished_run_are_written_when_they_are_asked_for(
    config: Path, tmp_path: Path, run: Path
) -> None:
    assert main(["run", str(config), "--out", str(tmp_path / "a")]) == 0
    assert not (tmp_path / "a" / "tensorboard").exists()
    for _ in range(2):
        assert main(["run", "--resume", str(tmp_path / "a"), "--tensorboard"]) == 0
    assert _drawn(tmp_path / "a" / "tensorboard") == {
        tag: of if not tag.startswith(TASK_TAGS) else {7: of[7]} for tag, of in _drawn(run / "tensorboard").items()
    }


def test_each_seed_has_a_folder(config: Path, tmp_path: Path) -> None:
    options = ["run", str(config), "--seeds", "2", "--out", str(tmp_path / "a")]
    assert main([*options, "--tensorboard", str(tmp_path / "events")]) == 0
    for seed in ("seed-0", "seed-1"):
        _assert_is_drawn(rows(tmp_path / "a" / seed), _drawn(tmp_path / "events" / seed))


def test_a_run_with_event_files_can_be_overwritten(config: Path, tmp_path: Path) -> None:
    path, folder = tmp_path / "a", tmp_path / "events"
    folder.mkdir()
    for name in ("events.out.tfevents.1.other", "mine.txt"):
        (folder / name).touch()
    options = ["run", str(config), "--out", str(path), "--set", "emulation.ticks=3"]
    assert main([*options, "--tensorboard"]) == 0
    assert main([*options, "--overwrite", "--tensorboard", str(folder)]) == 0
    assert not (path / "tensorboard").exists()
    assert len(list(folder.iterdir())) == 2
    assert (folder / "mine.txt").exists()
    _assert_is_drawn(rows(path), _drawn(folder))


def _refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert main(["run", *map(str, arguments)]) == 2
    return capsys.readouterr().err


def test_what_makes_no_sense_is_refused_before_anything_is_made(
    run: Path, config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    new = tmp_path / "new"
    told = _refused(capsys, config, "--out", new, "--tensorboard", run / "tensorboard")
    assert "holds event files of another run" in told
    assert "is a file" in _refused(capsys, config, "--out", new, "--tensorboard", config / "a")
    assert "is inside" in _refused(capsys, config, "--out", new, "--tensorboard", new / "events")
    assert "after CONFIG" in _refused(capsys, "--out", new, "--tensorboard", config)
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    assert "pip install 'jdgnn[tensorboard]'" in _refused(capsys, config, "--out", new, "--tensorboard")
    assert not new.exists()
