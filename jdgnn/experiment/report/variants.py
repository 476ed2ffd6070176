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
    """A statistic over time, with a band around it."""

    ticks: NDArray[np.int64]
    middle: NDArray[np.float64]  # the statistic, or its mean over seeds or splits; NaN where it is missing
    low: NDArray[np.float64] | None = None  # edges of the band; None for none
    high: NDArray[np.float64] | None = None

    @property
    def last(self) -> float | None:
        """The last number that is not missing, if there is any."""
        known = self.middle[np.isfinite(self.middle)]
        return float(known[-1]) if len(known) else None


@dataclass(frozen=True)
class Variant:
    """Runs that differ in their seeds only, at least one."""

    name: str
    path: Path
    runs: list[Run]
    prefix: str = ""  # before texts about it, if there are several
    left_out: tuple[int, ...] = ()  # seeds of unfinished runs, if others are finished

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
        name = ".".join(map(str, keys))
        return _mean([scale * run.table.reindex(columns=[name])[name].astype(float) for run in self.runs])

    def _with_quantiles(self, middle: Series, *keys: str | int) -> Series:
        return Series(middle.ticks, middle.middle, self.series(*keys, LOW).middle, self.series(*keys, HIGH).middle)

    def spread(self, name: str) -> Series:
        """A statistic of nodes: its median, and its 5 and 95 % quantiles, means over seeds."""
        return self._with_quantiles(self.series("quantiles", name, MIDDLE), "quantiles", name)

    def losses(self, layer: int) -> Series:
        """The loss of a layer: its mean over nodes, and their 5 and 95 % quantiles, means over seeds."""
        return self._with_quantiles(self.series("loss", layer), "loss_quantiles", layer)

    @property
    def summaries(self) -> list[dict[str, Any]]:
        """Summaries of finished runs."""
        return [run.summary for run in self.runs if run.summary is not None]

    @cached_property
    def tasks(self) -> list[str]:
        """Tasks by which all runs were evaluated, at the end or so far."""
        if self.summaries:
            return scores.tasks_of(self.summaries)
        return scores.common(dict.fromkeys(task for one in run.snapshots for task in one.scores) for run in self.runs)

    def metric(self, task: str) -> str:
        """The first metric of a task; empty where it is not known."""
        if self.summaries:
            return scores.metric_of(self.summaries[0], task)
        return next((next(iter(one.scores[task])) for one in self.first.snapshots if task in one.scores), "")

    def _over_time(self, task: str) -> list[dict[int, NDArray[np.float64]]]:
        """For each run the learned scores at each tick, in percent, by all repeats there are."""
        return [
            {one.tick: 100 * next(iter(one.scores[task].values())) for one in run.snapshots if task in one.scores}
            for run in self.runs
        ]

    def num_repeats(self, task: str) -> int:
        """The number of first repeats by which every snapshot of every run was evaluated."""
        return min((len(values) for found in self._over_time(task) for values in found.values()), default=0)

    def score(self, task: str) -> Series:
        """The learned score over time, in percent: its mean, and one standard deviation over seeds or repeats."""
        import pandas as pd

        count = self.num_repeats(task)
        tables = [
            pd.DataFrame({tick: values[:count] for tick, values in found.items()}).T for found in self._over_time(task)
        ]
        mean = _mean([table.mean(axis=1) for table in tables])
        if len(tables) > 1:
            return mean
        sd = tables[0].std(axis=1).fillna(0.0).to_numpy()
        return Series(mean.ticks, mean.middle, mean.middle - sd, mean.middle + sd)

    def last_scores(self, task: str, metric: str | None = None) -> dict[str, NDArray[np.float64]]:
        """The last scores by name, for each seed and repeat [R, S], of 1; empty while the run is not finished."""
        if not self.summaries or task not in self.tasks:
            return {}
        names = scores.names_of(self.summaries, task)
        return {name: scores.values_of(self.summaries, task, name, metric) for name in names}

    def learned(self, task: str) -> float | None:
        """The last learned score, in percent: by all repeats, once the run is finished."""
        found = self.last_scores(task)
        return 100 * float(found["learned"].mean()) if found else self.score(task).last

    def baselines(self, task: str, count: int | None = None) -> dict[str, float]:
        """Baselines in percent: means over seeds and the first repeats; none while the run is not finished."""
        found = self.last_scores(task)
        return {name: 100 * float(values[:, :count].mean()) for name, values in found.items() if name != "learned"}

    def best_baseline(self, task: str) -> str:
        """The best baseline by all repeats; empty while the run is not finished."""
        means = self.baselines(task)
        return max(means, key=lambda name: means[name], default="")


def each(variants: Sequence[Variant], texts: Sequence[str]) -> str:
    """A text for each variant, with its name where there are several."""
    if len(variants) == 1:
        return texts[0]
    return "; ".join(f"{variant.name} {text}" for variant, text in zip(variants, texts, strict=True))


def _mean(of_runs: list[Any]) -> Series:
    """The mean over runs at the ticks that all have."""
    import pandas as pd

    table = pd.concat(of_runs, axis=1, join="inner")
    ticks, mean = table.index.to_numpy(np.int64), table.mean(axis=1, skipna=False).to_numpy()
    if len(of_runs) == 1:
        return Series(ticks, mean)
    sd = table.std(axis=1, skipna=False).to_numpy()
    return Series(ticks, mean, mean - sd, mean + sd)


def read_variants(paths: Sequence[Path]) -> list[Variant]:
    """Reads a variant from each directory: named after it if there is one, else A, B, …."""
    if not 1 <= len(paths) <= MOST:
        raise InputError(f"report: expected 1 to {MOST} directories, got {len(paths)}")
    if len(paths) == 1:
        return [_variant(paths[0].resolve().name or "run", paths[0], "")]
    return [_variant(name, path, f"{name}: ") for name, path in zip(string.ascii_uppercase, paths, strict=False)]


def _variant(name: str, path: Path, prefix: str) -> Variant:
    # only finished runs, once there are any, as others have not come as far
    runs = [read_run(folder) for folder in members(path)]
    finished = [run for run in runs if run.summary is not None]
    left_out = tuple(run.seed for run in runs if run.summary is None) if finished else ()
    return Variant(name, path, finished or runs, prefix, left_out)
