"""Runs that are finished, read from their directories: one, or several that differ in their seeds only."""

import json
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from jdgnn.errors import InputError
from jdgnn.experiment.config.former_keys import with_present_keys
from jdgnn.experiment.config.toml import flat, parsed_toml
from jdgnn.experiment.results import scores
from jdgnn.experiment.results.metrics_rows import with_present_outcomes
from jdgnn.experiment.run.directory import CONFIG, SUMMARY, seed_folders
from jdgnn.files import read_bytes

MOST_BYTES = 2**26
"""Of a configuration or a summary."""

BESIDE = ("checkpoints", "snapshots")
"""Tables of a configuration that change no figure."""

FORMER_SPEED = {"floor_bytes": "roofline_bytes", "of_floor": "roofline_fraction"}
"""Present names of what runs of an earlier version say of their speed."""

Settings = dict[str, Any]
"""Keys of a configuration, as `optimizer.learning_rate`, and their values; layers are counted from 0."""


class _Score(BaseModel):
    """What a task found, of 1."""

    model_config = ConfigDict(strict=True)

    values: list[Annotated[float, Field(allow_inf_nan=False)]] = Field(min_length=1)  # of each repeat


class _Summary(BaseModel):
    """What is read of a summary."""

    model_config = ConfigDict(strict=True)

    dataset: str
    nodes: int
    directed_edges: int
    ticks: Annotated[int, Field(ge=0, lt=2**31)]
    seed: int
    tasks: dict[str, dict[str, dict[str, _Score]]]
    wakes: Annotated[int, Field(ge=0)] | None = None
    bytes_sent: dict[str, Annotated[int, Field(ge=0)]] | None = None

    @field_validator("tasks")
    @classmethod
    def _have_scores(cls, tasks: dict[str, dict[str, dict[str, _Score]]]) -> dict[str, dict[str, dict[str, _Score]]]:
        for metrics in tasks.values():
            if not metrics or any("learned" not in named for named in metrics.values()):
                raise ValueError("expected scores of what was learned, by one metric at least")
            for named in metrics.values():
                if len({len(score.values) for score in named.values()}) > 1:
                    raise ValueError("expected as many values of each embedding")
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

    def names(self, task: str) -> list[str]:
        """Names of the embeddings that every seed has scores of."""
        return scores.names_of(list(self.summaries.values()), task)

    def values(self, task: str, name: str, seeds: list[int] | None = None) -> NDArray[np.float64]:
        """The scores, for each of these seeds, or all, and each repeat [R, S]; shares of 1."""
        return scores.values_of([self.summaries[seed] for seed in seeds or self.summaries], task, name)


def read_runs(path: Path) -> Runs:
    """Reads the directory of a run, or of runs with several seeds.

    Args:
      path: a directory that `jdgnn run` has made, with or without `--seeds`.

    Returns:
      What it holds.

    Raises:
      InputError: it is no such directory, nothing in it is finished, nothing was evaluated, or its runs differ in more
        than their seeds.

    Example:
      >>> read_runs(Path("nowhere"))
      Traceback (most recent call last):
      jdgnn.errors.InputError: nowhere: there is no such directory; give one that jdgnn run has made
    """
    folders = run_folders(path)
    finished = [folder for folder in folders if is_finished(folder)]
    if not finished:
        raise InputError(f"{path}: its run is not finished; go on with it: jdgnn run --resume {folders[0]}")
    settings = _same_settings(path, finished)
    summaries = {summary["seed"]: summary for summary in map(_evaluated_summary, finished)}
    if len({_form(summary) for summary in summaries.values()}) > 1:
        raise InputError(f"{path}: its runs were not evaluated by the same metrics and repeats; repeat them")
    return Runs(path, settings, summaries, [folder for folder in folders if folder not in finished])


def run_folders(path: Path) -> list[Path]:
    """The directories of the runs in a directory that `jdgnn run` has made: its own, or one for each seed.

    Raises:
      InputError: it is no such directory.
    """
    if not path.is_dir():
        what = "is a file" if path.exists() else "there is no such directory"
        raise InputError(f"{path}: {what}; give one that jdgnn run has made")
    folders = [path] if (path / CONFIG).is_file() else seed_folders(path)
    if not folders:
        raise InputError(f"{path}: holds neither {CONFIG} nor seed-0 or any other; give a directory jdgnn run has made")
    return folders


def _form(summary: dict[str, Any]) -> tuple[tuple[str, str, int], ...]:
    """Tasks, their metrics and numbers of repeats."""
    return tuple(
        (task, metric, len(named["learned"]["values"]))
        for task, metrics in summary["tasks"].items()
        for metric, named in metrics.items()
    )


def is_finished(folder: Path) -> bool:
    """Whether the run of a directory came to its end."""
    if not (folder / SUMMARY).exists():
        return False
    summary = _read_summary(folder)
    return summary.get("finished", set(_Summary.model_fields) <= summary.keys()) is True  # older ones do not say


def differing(first: Settings, *others: Settings) -> list[str]:
    """Keys that do not have the same value in all settings, or are missing in some.

    >>> differing({"push.fanout": 8, "gossip.merge": "average"}, {"push.fanout": 16, "gossip.merge": "average"})
    ['push.fanout']
    """
    keys = dict.fromkeys(key for settings in (first, *others) for key in settings)
    return [key for key in keys if any(_cell(settings, key) != _cell(first, key) for settings in others)]


def _cell(settings: Settings, key: str) -> tuple[Any, ...]:
    return (settings[key],) if key in settings else ()


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
    """The configuration of a run, as TOML.

    Raises:
      InputError: there is none.
    """
    return _read(folder, CONFIG)


def settings_of(folder: Path, config: str) -> Settings:
    """The keys of a configuration and their values.

    Args:
      folder: of the run that has it.
      config: as TOML.

    Raises:
      InputError: it is no TOML.
    """
    try:
        return flat(with_present_keys(parsed_toml(config), warn=False))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{folder}: its {CONFIG} is no valid TOML ({error}); repeat the run") from error


def _compared(folder: Path) -> Settings:
    """Settings that decide what comes of a run, but for the seed."""
    settings = settings_of(folder, read_config(folder))
    return {key: value for key, value in settings.items() if key != "seed" and not key.startswith(BESIDE)}


def _read(folder: Path, name: str) -> str:
    try:
        return read_bytes(folder / name, MOST_BYTES).decode()
    except UnicodeDecodeError as error:
        raise InputError(f"{folder}: its {name} is not UTF-8 text (byte {error.start}); repeat the run") from error
    except OSError as error:
        raise InputError(f"{folder}: its {name} cannot be read ({error.strerror}); repeat the run") from error


def _read_summary(folder: Path) -> dict[str, Any]:
    text = _read(folder, SUMMARY)
    try:
        summary = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{folder}: its {SUMMARY} is no valid JSON ({error}); repeat the run") from error
    if not isinstance(summary, dict):
        raise InputError(f"{folder}: its {SUMMARY} is no table; repeat the run")
    if "probe" in summary and "tasks" not in summary:  # of a version that knew one task only
        probe = summary.pop("probe")
        summary["tasks"] = {"linear_probe": probe} if probe else {}
    if isinstance(speed := summary.get("speed"), dict):
        summary["speed"] = {FORMER_SPEED.get(key, key): value for key, value in speed.items()}
    if isinstance(messages := summary.get("messages"), dict):
        summary["messages"] = {kind: with_present_outcomes(counts) for kind, counts in messages.items()}
    return summary


def read_summary(folder: Path) -> dict[str, Any]:
    """The summary of a finished run.

    Raises:
      InputError: it does not say what the summary of a run says.
    """
    summary = _read_summary(folder)
    try:
        _Summary.model_validate(summary)
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"]))
        raise InputError(
            f"{folder}: its {SUMMARY} says nothing sound for {where}; give a directory that jdgnn run has made, or "
            f"repeat the run: jdgnn run {folder / CONFIG}"
        ) from error
    return summary


def _evaluated_summary(folder: Path) -> dict[str, Any]:
    summary = read_summary(folder)
    if not summary["tasks"]:
        raise InputError(f"{folder}: it was evaluated by no task; give a run on a network with labels")
    return summary
