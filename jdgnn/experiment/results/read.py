"""Reads finished runs from their directories: one, or several that differ in their seeds only."""

import json
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, field_validator

from jdgnn.errors import InputError
from jdgnn.experiment.config.former_keys import with_present_keys
from jdgnn.experiment.config.toml import flat, parsed_toml
from jdgnn.experiment.results import scores
from jdgnn.experiment.results.metrics_rows import with_present_outcomes
from jdgnn.experiment.results.reading import reading
from jdgnn.experiment.run.directory import CONFIG, SUMMARY, seed_folders
from jdgnn.files import read_bytes

MOST_BYTES = 2**26
"""Of a configuration or a summary."""

BESIDE = ("checkpoints", "snapshots")
"""Tables of a configuration that do not change the result."""

FORMER_SPEED = {"floor_bytes": "roofline_bytes", "of_floor": "roofline_fraction"}
"""Present names of the keys for speed in runs of an earlier version."""

Settings = dict[str, Any]
"""Keys of a configuration, as `optimizer.learning_rate`, and their values; layers are counted from 0."""


class _Score(BaseModel):
    """The scores of an embedding, of 1."""

    model_config = ConfigDict(strict=True)

    values: list[Annotated[float, Field(allow_inf_nan=False)]] = Field(min_length=1)  # of each repeat


_Tasks = dict[str, dict[str, dict[str, _Score]]]


class _Summary(BaseModel):
    """The keys that every summary has, and those that comparisons read."""

    model_config = ConfigDict(strict=True)

    dataset: str
    nodes: int
    directed_edges: int
    ticks: Annotated[int, Field(ge=0, lt=2**31)]
    seed: int
    tasks: _Tasks
    wakes: Annotated[int, Field(ge=0)] | None = None
    bytes_sent: dict[str, Annotated[int, Field(ge=0)]] | None = None

    @field_validator("tasks")
    @classmethod
    def _have_scores(cls, tasks: _Tasks) -> _Tasks:
        for metrics in tasks.values():
            if not metrics or any("learned" not in named for named in metrics.values()):
                raise ValueError("expected scores of learned embeddings, by at least one metric")
            for named in metrics.values():
                if len({len(score.values) for score in named.values()}) > 1:
                    raise ValueError("expected equally many values of each embedding")
        return tasks


class Runs(NamedTuple):
    """Finished runs of one configuration."""

    path: Path
    settings: Settings  # without the seed, and without `BESIDE`
    summaries: dict[int, dict[str, Any]]  # by seed, at least one
    unfinished: list[Path]  # directories of other seeds, which have no summary

    @property
    def first(self) -> dict[str, Any]:
        """The summary of the first seed."""
        return next(iter(self.summaries.values()))

    @property
    def tasks(self) -> list[str]:
        """Names of the tasks that every seed was evaluated by."""
        return scores.tasks_of(self.summaries.values())

    def num_repeats(self, task: str) -> int:
        """Number of splits, or starts, of a task."""
        return len(scores.values_of([self.first], task, "learned")[0])


def read_runs(path: Path) -> Runs:
    """Reads the directory of a run, or of runs with several seeds, of which at least one is finished and evaluated."""
    folders = run_folders(path)
    finished = [folder for folder in folders if is_finished(folder)]
    if not finished:
        raise InputError(f"{path}: its run is not finished; resume it: jdgnn run --resume {folders[0]}")
    settings = _same_settings(path, finished)
    summaries = {summary["seed"]: summary for summary in map(_evaluated_summary, finished)}
    if len({_form(summary) for summary in summaries.values()}) > 1:
        raise InputError(f"{path}: its runs were not evaluated by the same metrics and repeats; repeat them")
    return Runs(path, settings, summaries, [folder for folder in folders if folder not in finished])


def run_folders(path: Path) -> list[Path]:
    """The directories of the runs in a directory that `jdgnn run` has made: itself, or one for each seed."""
    if not path.is_dir():
        what = "is a file" if path.exists() else "there is no such directory"
        raise InputError(f"{path}: {what}; give one that jdgnn run has made")
    folders = [path] if (path / CONFIG).is_file() else seed_folders(path)
    if not folders:
        raise InputError(f"{path}: holds neither {CONFIG} nor seed-0 or any other; give a directory jdgnn run has made")
    return folders


def _form(summary: dict[str, Any]) -> tuple[tuple[str, str, int], ...]:
    """Tasks, their metrics and numbers of repeats."""
    metrics = ((task, metric, named) for task, of_task in summary["tasks"].items() for metric, named in of_task.items())
    return tuple((task, metric, len(named["learned"]["values"])) for task, metric, named in metrics)


def is_finished(folder: Path) -> bool:
    """Whether the run of a directory is finished."""
    if not (folder / SUMMARY).exists():
        return False
    summary = _read_summary(folder)
    return summary.get("finished", set(_Summary.model_fields) <= summary.keys()) is True  # older ones lack the key


def differing(first: Settings, *others: Settings) -> list[str]:
    """Keys that do not have the same value in all settings, or are missing in some."""
    keys = dict.fromkeys(key for settings in (first, *others) for key in settings)
    missing = object()
    return [key for key in keys if any(one.get(key, missing) != first.get(key, missing) for one in others)]


def _same_settings(path: Path, folders: list[Path]) -> Settings:
    first, *others = [_compared(folder) for folder in folders]
    for folder, settings in zip(folders[1:], others, strict=True):
        for key in differing(first, settings):
            raise InputError(
                f"{path}: {folders[0].name} and {folder.name} differ in {key}, and not in their seeds only; give the "
                "directory of one of them"
            )
    return first


def read_config(folder: Path) -> str:
    """The configuration of a run, as TOML."""
    return _text(folder / CONFIG)


def settings_of(folder: Path, config: str) -> Settings:
    """The keys and values of a configuration in TOML; errors name the folder of its run."""
    with reading(folder / CONFIG):
        return flat(with_present_keys(parsed_toml(config), warn=False))


def _compared(folder: Path) -> Settings:
    """Settings that decide the result of a run, except for the seed."""
    settings = settings_of(folder, read_config(folder))
    return {key: value for key, value in settings.items() if key != "seed" and not key.startswith(BESIDE)}


def _text(path: Path) -> str:
    with reading(path):
        return read_bytes(path, MOST_BYTES).decode()


def _read_summary(folder: Path) -> dict[str, Any]:
    """A summary, with present names also where an earlier version wrote it."""
    text = _text(folder / SUMMARY)
    with reading(folder / SUMMARY):
        summary: dict[str, Any] = json.loads(text)
        if "probe" in summary and "tasks" not in summary:  # of a version that had one task only
            probe = summary.pop("probe")
            summary["tasks"] = {"linear_probe": probe} if probe else {}
        if speed := summary.get("speed"):
            summary["speed"] = {FORMER_SPEED.get(key, key): value for key, value in speed.items()}
        messages = summary.get("messages", {})
        summary["messages"] = {kind: with_present_outcomes(counts) for kind, counts in messages.items()}
        return summary


def read_summary(folder: Path) -> dict[str, Any]:
    """The summary of a finished run."""
    summary = _read_summary(folder)
    advice = f"give a directory that jdgnn run has made, or repeat it: jdgnn run {folder}/{CONFIG}"
    with reading(folder / SUMMARY, advice):
        _Summary.model_validate(summary)
    return summary


def _evaluated_summary(folder: Path) -> dict[str, Any]:
    summary = read_summary(folder)
    if not summary["tasks"]:
        raise InputError(f"{folder}: it was evaluated by no task; give a run on a network with labels")
    return summary
