"""The variants of a report, which are runs or groups of runs with several seeds, and their series over time."""

import string
from collections.abc import Sequence
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

LOW, MIDDLE, HIGH = (QUANTILES.index(level) for level in (0.05, 0.5, 0.95))


@dataclass(frozen=True)
class Series:
    """A statistic over time, with a band around it.

    Attributes:
      ticks: at which it was measured.
      middle: the statistic, or its mean over seeds or splits; NaN where it is missing.
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
    left_out: tuple[int, ...] = ()  # seeds whose runs are not finished while others are

    @property
    def first(self) -> Run:
        """The run of the first seed."""
        return self.runs[0]

    @property
    def num_layers(self) -> int:
        """Layers that were measured."""
        return len(self.first.rows[0]["loss"]) if self.first.rows else 0

    def series(self, *keys: str | int, scale: float = 1.0) -> Series:
        """The statistic at these keys of each row: its mean over seeds, and one standard deviation around it."""
        return _mean(
            [
                (_ticks(run.rows), np.array([scale * _number(row, keys) for row in run.rows], np.float64))
                for run in self.runs
            ]
        )

    def _band(self, middle: Series, *keys: str | int) -> Series:
        """With the 5 and 95 % quantiles over nodes at these keys, means over seeds."""
        return Series(middle.ticks, middle.middle, self.series(*keys, LOW).middle, self.series(*keys, HIGH).middle)

    def spread(self, name: str) -> Series:
        """A statistic of nodes over time: its median and its 5 and 95 % quantiles, means over seeds."""
        return self._band(self.series("quantiles", name, MIDDLE), "quantiles", name)

    def losses(self, layer: int) -> Series:
        """The loss of a layer: its mean over nodes, with their 5 and 95 % quantiles, means over seeds."""
        return self._band(self.series("loss", layer), "loss_quantiles", layer)

    @property
    def summaries(self) -> list[dict[str, Any]]:
        """Of finished runs."""
        return [run.summary for run in self.runs if run.summary is not None]

    @cached_property
    def tasks(self) -> list[str]:
        """Tasks that all runs were evaluated by, at the end or so far."""
        if self.summaries:
            return scores.tasks_of(self.summaries)
        of_runs = [{task for one in run.snapshots for task in one.scores} for run in self.runs]
        order = dict.fromkeys(task for one in self.first.snapshots for task in one.scores)
        return [task for task in order if all(task in tasks for tasks in of_runs)]

    def metric(self, task: str) -> str:
        """The first metric of a task; empty where it is not known."""
        if self.summaries:
            return scores.metric_of(self.summaries[0], task)
        return next((next(iter(one.scores[task])) for one in self.first.snapshots if task in one.scores), "")

    def _over_time(self, task: str) -> list[dict[int, NDArray[np.float64]]]:
        """For each run the learned scores at each tick, by all repeats there are."""
        return [
            {one.tick: next(iter(one.scores[task].values())) for one in run.snapshots if task in one.scores}
            for run in self.runs
        ]

    def num_repeats(self, task: str) -> int:
        """By how many repeats, the first ones, every snapshot of every run was evaluated."""
        return min((len(values) for found in self._over_time(task) for values in found.values()), default=0)

    def score(self, task: str) -> Series:
        """The learned score over time, in percent: its mean, and one standard deviation over seeds or repeats."""
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
        """The last learned score, in percent: by all repeats, once the run is finished."""
        found = self.last_scores(task)
        return 100 * float(found["learned"].mean()) if found else self.score(task).last

    def baselines(self, task: str, count: int | None = None) -> dict[str, float]:
        """Baselines by name, in percent: means over seeds and the first repeats; none while the run is not finished."""
        found = self.last_scores(task)
        return {name: 100 * float(values[:, :count].mean()) for name, values in found.items() if name != "learned"}

    def best_baseline(self, task: str) -> str:
        """The best by all repeats; empty while the run is not finished."""
        means = self.baselines(task)
        return max(means, key=lambda name: means[name], default="")


def each(variants: Sequence[Variant], texts: Sequence[str]) -> str:
    """A text for each variant, with its name where there are several.

    >>> each([], [])
    ''
    """
    if len(variants) == 1:
        return texts[0]
    return "; ".join(f"{variant.name} {text}" for variant, text in zip(variants, texts, strict=True))


def _number(row: Any, keys: Sequence[str | int]) -> float:
    """The number at these keys; NaN where there is none, as of a layer that has not learned yet."""
    for key in keys:
        try:
            row = row[key]
        except (LookupError, TypeError):
            return np.nan
    return np.nan if row is None else float(row)


def _ticks(rows: list[dict[str, Any]]) -> NDArray[np.int64]:
    return np.array([row["tick"] for row in rows], np.int64)


def _mean(series: list[tuple[NDArray[np.int64], NDArray[np.float64]]]) -> Series:
    """The mean over runs at the ticks that all have."""
    common = np.array([tick for tick in series[0][0] if all(tick in ticks for ticks, _ in series)], np.int64)
    values = np.array([found[np.isin(ticks, common)] for ticks, found in series], np.float64)
    mean = values.mean(axis=0)
    if len(series) == 1:
        return Series(common, mean)
    sd = values.std(axis=0, ddof=1)
    return Series(common, mean, mean - sd, mean + sd)


def read_variants(paths: Sequence[Path]) -> list[Variant]:
    """Reads a variant from each directory: named after it if there is one, else A, B, …."""
    if not 1 <= len(paths) <= MOST:
        raise InputError(f"report: expected 1 to {MOST} directories, got {len(paths)}")
    names = [paths[0].resolve().name or "run"] if len(paths) == 1 else string.ascii_uppercase
    return [_variant(name, path) for name, path in zip(names, paths, strict=False)]


def _variant(name: str, path: Path) -> Variant:
    """Means are over the finished runs, once there are any, as others have not come as far."""
    runs = [read_run(folder) for folder in members(path)]
    finished = [run for run in runs if run.summary is not None]
    left_out = tuple(run.seed for run in runs if run.summary is None) if finished else ()
    return Variant(name, path, finished or runs, left_out)
