"""Results of a sweep, for each combination and for all together."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from jdgnn.emulation.progress_bar import mean
from jdgnn.errors import InputError
from jdgnn.experiment.results import scores
from jdgnn.experiment.results.compare import NOT_OF_THE_NETWORK, REMEDY
from jdgnn.experiment.results.labels import repeats_of
from jdgnn.experiment.results.read import is_finished, read_summary
from jdgnn.experiment.results.statistics import Difference, Spread, paired_difference, spread
from jdgnn.experiment.run.directory import ORIGIN
from jdgnn.experiment.run.seeds import SEEDS, together
from jdgnn.experiment.run.ways import mixed
from jdgnn.experiment.sweep.grid import Variant
from jdgnn.experiment.sweep.record import Asked
from jdgnn.files import whole_file, write_json

ALIKE = ("ticks", "tasks", "loss", "consensus_distance", "bytes_sent")
"""Keys of a summary that are equal in runs with identical results."""

TABLE, PLOT = "sweep.csv", "sweep.html"


class Row(NamedTuple):
    """A combination with its results, by one of its tasks."""

    variant: Variant  # the combination
    seeds: list[int]  # requested ones
    summaries: dict[int, dict[str, Any]]  # of finished runs, by seed
    failed: dict[int, str]  # the reasons of failed runs, by seed
    chosen: str | None = None  # the task of the scores; None for the first

    @property
    def tasks(self) -> list[str]:
        """Tasks that all finished runs were evaluated by."""
        return scores.tasks_of(self.summaries.values())

    @property
    def task(self) -> str | None:
        """The task of the scores; None where there are none."""
        return next((task for task in self.tasks if self.chosen in (None, task)), None)

    @property
    def metric(self) -> str | None:
        """The metric of the scores; None where there are none."""
        return None if self.task is None else scores.metric_of(next(iter(self.summaries.values())), self.task)

    @property
    def learned(self) -> Spread | None:
        """Scores of the learned embeddings, over seeds; None where there are none."""
        return None if self.task is None else spread(self.values("learned"), repeats_of(self.task))

    @property
    def baselines(self) -> dict[str, Spread]:
        """Scores of baselines, by name."""
        spreads = {} if self.task is None else scores.spreads_of([*self.summaries.values()], self.task)
        return {name: found for name, found in spreads.items() if name != "learned"}

    @property
    def gain(self) -> Difference | None:
        """By how much the learned embeddings exceed the best baseline, in pairs by seed."""
        if self.task is None or not (baselines := self.baselines):
            return None
        best = max(baselines, key=lambda name: baselines[name].mean)
        return paired_difference(self.values("learned"), self.values(best), repeats_of(self.task))

    @property
    def loss(self) -> float | None:
        """At the last tick, over layers and seeds."""
        return mean([value for summary in self.summaries.values() for value in summary["loss"]])

    @property
    def consensus_distance(self) -> float | None:
        """At the last tick, over seeds."""
        return mean([summary["consensus_distance"] for summary in self.summaries.values()])

    @property
    def seconds(self) -> float | None:
        """Of a run, over seeds."""
        return mean([summary["wall_seconds"] for summary in self.summaries.values()])

    def values(self, name: str, seeds: Sequence[int] | None = None) -> NDArray[np.float64]:
        """The scores of an embedding for each of these seeds, by default all, and each repeat [R, S]."""
        assert self.task is not None
        return scores.values_of([self.summaries[seed] for seed in seeds or self.summaries], self.task, name)


class Results:
    """All combinations of a sweep, kept up to date as runs finish."""

    def __init__(self, path: Path, asked: Asked) -> None:
        self.path, self.asked = path, asked
        self.rows = {
            variant: Row(variant, seeds, self._finished(variant, seeds), {}) for variant, seeds in asked.seeds.items()
        }

    def _finished(self, variant: Variant, seeds: Sequence[int]) -> dict[int, dict[str, Any]]:
        folders = variant.folders(self.path, seeds)
        return {seed: read_summary(folder) for seed, folder in folders.items() if is_finished(folder)}

    def make_folders(self) -> None:
        """Makes a directory for each combination, as `jdgnn run --seeds` does."""
        for variant, seeds in self.asked.seeds.items():
            folder = self.path / variant.name
            try:
                folder.mkdir(parents=True, exist_ok=True)
                write_json(folder / ORIGIN, {"seeds": seeds})
            except OSError as error:
                raise InputError(f"--out: {folder} cannot be written ({error.strerror}); give another") from error
        for row in self.rows.values():
            self._write_seeds(row)

    def take(self, variant: Variant, seed: int, reason: str | None) -> None:
        """Adds a run that is finished, or has failed for a reason."""
        row = self.rows[variant]
        if reason is not None:
            row.failed[seed] = reason
            return
        summaries = row.summaries | {seed: read_summary(variant.folders(self.path, [seed])[seed])}
        self.rows[variant] = row._replace(summaries=dict(sorted(summaries.items())))
        self._write_seeds(self.rows[variant])

    def _write_seeds(self, row: Row) -> None:
        if row.summaries:
            write_json(self.path / row.variant.name / SEEDS, together(list(row.summaries.values())))

    @property
    def outcome(self) -> dict[Variant, dict[str, Any]]:
        """The part of `sweep.json` on each combination."""
        return {variant: _outcome(row) for variant, row in self.rows.items()}

    @property
    def mixed_ways(self) -> str | None:
        """A clause if runs were computed in several ways that the settings do not distinguish; else None."""
        if "emulation.backend" in self.asked.keys:
            return None
        return mixed(
            (f"{row.variant.label}, seed {seed}", summary.get("way"))
            for row in self.rows.values()
            for seed, summary in row.summaries.items()
        )

    def write_table(self) -> None:
        """Writes `sweep.csv`: a line for each run that is finished or has failed."""
        import pandas as pd

        # as objects, since a failed run, which has no results, would turn the whole numbers of others into floats
        table = pd.DataFrame([line for row in self.rows.values() for line in _lines(row)], dtype=object)
        with whole_file(self.path / TABLE) as file:
            file.write(table.to_csv(index=False, lineterminator="\n").encode())


def by_task(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """The same rows for each task that any of them was evaluated by."""
    tasks = dict.fromkeys(task for row in rows for task in row.tasks)
    return {task: [row._replace(chosen=task) for row in rows] for task in tasks}


def are_comparable(rows: Sequence[Row]) -> bool:
    """Whether all combinations were evaluated on the same network, splits and links."""
    keys = {key for row in rows for key, _ in row.variant.settings}
    return all(key in NOT_OF_THE_NETWORK or key.split(".")[0] not in REMEDY for key in keys)


def best_of(rows: Sequence[Row]) -> Row | None:
    """The row with the largest mean score among those with most finished seeds; None if rows are not comparable."""
    known = [row for row in rows if row.task] if are_comparable(rows) else []
    most = max((len(row.summaries) for row in known), default=0)
    full = [row for row in known if len(row.summaries) == most]
    return max(full, key=lambda row: row.values("learned").mean(), default=None)


def alike(rows: Sequence[Row]) -> list[list[Row]]:
    """Combinations with identical results for every common seed: their settings make no difference."""
    groups: list[list[Row]] = []
    for row in rows:
        for group in groups:
            if _are_alike(group[0], row):
                group.append(row)
                break
        else:
            groups.append([row])
    return [group for group in groups if len(group) > 1]


def _are_alike(row: Row, other: Row) -> bool:
    seeds = row.summaries.keys() & other.summaries.keys()
    return bool(seeds) and all(
        row.summaries[seed].get(key) == other.summaries[seed].get(key) for seed in seeds for key in ALIKE
    )


def difference_to(row: Row, best: Row) -> Difference | None:
    """By how much a row exceeds the best, over their common seeds; None for the best itself."""
    if row is best or row.task is None or row.task != best.task:
        return None
    return scores.difference_of(row.summaries, best.summaries, row.task)


def _outcome(row: Row) -> dict[str, Any]:
    return {
        "finished": list(row.summaries),
        "failed": {str(seed): reason for seed, reason in row.failed.items()},
        "tasks": {
            task: {
                "metric": one.metric,
                "learned": one.learned and one.learned._asdict(),
                "gain": one.gain and one.gain._asdict(),
            }
            for task, (one,) in by_task([row]).items()
        },
        "consensus_distance": row.consensus_distance,
        "loss": row.loss,
        "seconds": row.seconds,
    }


def _lines(row: Row) -> Iterator[dict[str, Any]]:
    settings = {"directory": row.variant.name, **dict(row.variant.settings)}
    for seed in row.seeds:
        if seed in row.summaries:
            yield {**settings, "seed": seed, "failed": "", **_results_of(row.summaries[seed])}
        elif seed in row.failed:
            yield {**settings, "seed": seed, "failed": row.failed[seed]}


def _results_of(summary: dict[str, Any]) -> dict[str, Any]:
    means = {
        f"{task}.{metric}.{name}": float(np.mean(score["values"]))
        for task, metrics in summary["tasks"].items()
        for metric, named in metrics.items()
        for name, score in named.items()
    }
    return {
        "ticks": summary["ticks"],
        **means,
        "consensus_distance": summary["consensus_distance"],
        "loss": mean(summary["loss"]),
        "wall_seconds": summary["wall_seconds"],
        "backend": (summary.get("way") or {}).get("backend"),
        "digest": summary["digest"],
    }
