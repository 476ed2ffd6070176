"""What is shown beside each other: runs, or runs with several seeds, and their series over time."""

import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jdgnn.emulation.metrics import QUANTILES
from jdgnn.errors import InputError
from jdgnn.experiment.report.reading import Run, members, read_run
from jdgnn.experiment.results import scores

MOST = 8
"""Variants of one report."""

Values = Callable[[dict[str, Any]], float | None]
"""What to take of a row of the metrics."""


@dataclass(frozen=True)
class Series:
    """A figure over time, with a band around it.

    Attributes:
      ticks: at which it was measured.
      middle: the figure, or its mean over seeds or splits; NaN where it is missing.
      low: the lower edge of the band; None for none.
      high: its upper edge.
    """

    ticks: NDArray[np.int64]
    middle: NDArray[np.float64]
    low: NDArray[np.float64] | None = None
    high: NDArray[np.float64] | None = None

    @property
    def last(self) -> float | None:
        """The last number that is not missing, if there is any.

        >>> Series(np.array([1, 2]), np.array([0.5, np.nan])).last
        0.5
        """
        known = self.middle[np.isfinite(self.middle)]
        return float(known[-1]) if len(known) else None


@dataclass(frozen=True)
class Variant:
    """Runs that differ in their seeds only, at least one."""

    name: str
    path: Path
    runs: list[Run]
    left_out: tuple[int, ...] = ()  # seeds whose runs go on while others are finished

    @property
    def first(self) -> Run:
        """The run of the first seed."""
        return self.runs[0]

    @property
    def num_layers(self) -> int:
        """Layers that were measured."""
        return len(self.first.rows[0]["loss"]) if self.first.rows else 0

    def series(self, value: Values) -> Series:
        """A figure over time: its mean over seeds, and one standard deviation around it."""
        return _mean([_of_rows(run.rows, value) for run in self.runs])

    def spread(self, name: str) -> Series:
        """A figure of nodes over time: its median and its 5 and 95 % quantiles, means over seeds."""
        low, middle, high = (
            self.series(_quantile(lambda row: row["quantiles"].get(name), level)) for level in (0.05, 0.5, 0.95)
        )
        return Series(middle.ticks, middle.middle, low.middle, high.middle)

    def losses(self, layer: int) -> Series:
        """The loss of a layer: its mean over nodes, with their 5 and 95 % quantiles, means over seeds."""
        mean = self.series(lambda row: row["loss"][layer])
        edges = [
            self.series(_quantile(lambda row: [*row["loss_quantiles"], *[None] * (layer + 1)][layer], level))
            for level in (0.05, 0.95)
        ]
        return Series(mean.ticks, mean.middle, edges[0].middle, edges[1].middle)

    @property
    def summaries(self) -> list[dict[str, Any]]:
        """Of finished runs."""
        return [run.summary for run in self.runs if run.summary is not None]

    @cached_property
    def tasks(self) -> list[str]:
        """Tasks that all runs were evaluated by, at the end or until now."""
        if self.summaries:
            return scores.tasks_of(self.summaries)
        of_runs = [{task for one in run.snapshots for task in one.scores} for run in self.runs]
        order = dict.fromkeys(task for one in self.first.snapshots for task in one.scores)
        return [task for task in order if all(task in tasks for tasks in of_runs)]

    def metric(self, task: str) -> str:
        """The metric of a task that figures show; empty where that is not known."""
        if self.summaries:
            return scores.metric_of(self.summaries[0], task)
        return next((next(iter(one.scores[task])) for one in self.first.snapshots if task in one.scores), "")

    def _over_time(self, task: str) -> list[dict[int, NDArray[np.float64]]]:
        """For each run the values of what was learned at each tick, by all repeats there are."""
        return [
            {one.tick: next(iter(one.scores[task].values())) for one in run.snapshots if task in one.scores}
            for run in self.runs
        ]

    def num_repeats(self, task: str) -> int:
        """By how many repeats, the first ones, every snapshot of every run was evaluated."""
        return min((len(values) for found in self._over_time(task) for values in found.values()), default=0)

    def score(self, task: str) -> Series:
        """What was learned over time, in percent: its mean, and one standard deviation over seeds or repeats."""
        count = self.num_repeats(task)
        found = [{tick: 100 * values[:count] for tick, values in one.items()} for one in self._over_time(task)]
        series = [
            (np.array(list(one), np.int64), np.array([values.mean() for values in one.values()], np.float64))
            for one in found
        ]
        if len(series) > 1:
            return _mean(series)
        ticks, values = series[0]
        sd = np.array([one.std(ddof=1) if len(one) > 1 else 0.0 for one in found[0].values()], np.float64)
        return Series(ticks, values, values - sd, values + sd)

    def last_scores(self, task: str, metric: str | None = None) -> dict[str, NDArray[np.float64]]:
        """The last scores, by name, for each seed and repeat [R, S], of 1; empty while the run is not finished."""
        if not self.summaries or task not in self.tasks:
            return {}
        names = scores.names_of(self.summaries, task)
        return {name: scores.values_of(self.summaries, task, name, metric) for name in names}

    def learned(self, task: str) -> float | None:
        """The last score of what was learned, in percent: by all repeats, once the run is finished."""
        found = self.last_scores(task)
        return 100 * float(found["learned"].mean()) if found else self.score(task).last

    def baseline_means(self, task: str, count: int | None = None) -> dict[str, float]:
        """Baselines by name: shares of 1, means over seeds and the first repeats; none while the run goes on."""
        found = self.last_scores(task)
        return {name: float(values[:, :count].mean()) for name, values in found.items() if name != "learned"}

    def best_baseline(self, task: str) -> str:
        """The best by all repeats; empty while the run goes on."""
        means = self.baseline_means(task)
        return max(means, key=lambda name: means[name], default="")


def each(variants: Sequence[Variant], texts: Sequence[str]) -> str:
    """A text for each variant, with its name where there are several.

    >>> each([], [])
    ''
    """
    if len(variants) == 1:
        return texts[0]
    return "; ".join(f"{variant.name} {text}" for variant, text in zip(variants, texts, strict=True))


def _quantile(find: Callable[[dict[str, Any]], Sequence[float | None] | None], level: float) -> Values:
    place = QUANTILES.index(level)

    def value(row: dict[str, Any]) -> float | None:
        found = find(row)
        return None if found is None else found[place]

    return value


def _of_rows(rows: list[dict[str, Any]], value: Values) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    ticks = np.array([row["tick"] for row in rows], np.int64)
    return ticks, np.array([np.nan if (found := value(row)) is None else found for row in rows], np.float64)


def _mean(series: list[tuple[NDArray[np.int64], NDArray[np.float64]]]) -> Series:
    """The mean over runs at the ticks that all have."""
    common = [int(tick) for tick in series[0][0] if all(tick in ticks for ticks, _ in series)]
    values = np.array([found[np.isin(ticks, common)] for ticks, found in series], np.float64)
    mean = values.mean(axis=0) if len(values) else np.zeros(0)
    if len(series) == 1:
        return Series(np.array(common, np.int64), mean)
    sd = values.std(axis=0, ddof=1)
    return Series(np.array(common, np.int64), mean, mean - sd, mean + sd)


def read_variants(paths: Sequence[Path]) -> list[Variant]:
    """Reads the directories of a report.

    Args:
      paths: directories that `jdgnn run` has made, with or without `--seeds`.

    Returns:
      A variant for each: named after its directory if there is one, else A, B, ….

    Raises:
      InputError: there are too many, or one is no such directory.
    """
    if not 1 <= len(paths) <= MOST:
        raise InputError(f"report: expected 1 to {MOST} directories, got {len(paths)}")
    names = [_name(paths[0])] if len(paths) == 1 else list(string.ascii_uppercase[: len(paths)])
    return [_variant(name, path) for name, path in zip(names, paths, strict=True)]


def _variant(name: str, path: Path) -> Variant:
    """Means are over the finished runs, once there are any: those that go on have not come as far."""
    runs = [read_run(folder) for folder in members(path)]
    finished = [run for run in runs if run.summary is not None]
    left_out = tuple(run.seed for run in runs if run.summary is None) if finished else ()
    return Variant(name, path, finished or runs, left_out)


def _name(path: Path) -> str:
    return path.resolve().name or "run"
