"""What came of the runs of a sweep, for each combination and for all together."""

import contextlib
import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

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
"""Figures of a summary by which runs are told to be the same."""

TABLE, PLOT = "sweep.csv", "sweep.html"


class Row(NamedTuple):
    """A combination, and what is known of it, by one of its tasks.

    Attributes:
      variant: the combination.
      seeds: that were asked for.
      summaries: of finished runs, by seed.
      failed: why others failed, by seed.
      chosen: the task whose scores are meant; None for the first.
    """

    variant: Variant
    seeds: list[int]
    summaries: dict[int, dict[str, Any]]
    failed: dict[int, str]
    chosen: str | None = None

    @property
    def tasks(self) -> list[str]:
        """Tasks that all finished runs were evaluated by."""
        return scores.tasks_of(self.summaries.values())

    @property
    def task(self) -> str | None:
        """The task whose scores are given; None where there are none."""
        return next((task for task in self.tasks if self.chosen in (None, task)), None)

    @property
    def metric(self) -> str | None:
        """By which the task scores; None if there are no scores."""
        return None if self.task is None else scores.metric_of(next(iter(self.summaries.values())), self.task)

    @property
    def learned(self) -> Spread | None:
        """Of what was learned, over seeds; None where there are no scores."""
        return None if self.task is None else spread(self.values("learned"), repeats_of(self.task))

    @property
    def baselines(self) -> dict[str, Spread]:
        """Of what took no training, by name."""
        if self.task is None:
            return {}
        names = scores.names_of(list(self.summaries.values()), self.task)
        return {name: spread(self.values(name), repeats_of(self.task)) for name in names if name != "learned"}

    @property
    def gain(self) -> Difference | None:
        """By how much what was learned exceeds the best baseline, in pairs by seed."""
        found = self.baselines
        if not found:
            return None
        assert self.task is not None
        best = max(found, key=lambda name: found[name].mean)
        return paired_difference(self.values("learned"), self.values(best), repeats_of(self.task))

    @property
    def loss(self) -> float | None:
        """At the last tick, over layers and seeds."""
        return _mean(value for summary in self.summaries.values() for value in summary["loss"])

    @property
    def consensus_distance(self) -> float | None:
        """At the last tick, over seeds."""
        return _mean(summary["consensus_distance"] for summary in self.summaries.values())

    @property
    def seconds(self) -> float | None:
        """Of a run, over seeds."""
        return _mean(summary["wall_seconds"] for summary in self.summaries.values())

    def values(self, name: str, seeds: Sequence[int] | None = None) -> NDArray[np.float64]:
        """The scores of an embedding, for each of these seeds, or all that are finished, and each repeat [R, S]."""
        assert self.task is not None
        return scores.values_of([self.summaries[seed] for seed in seeds or self.summaries], self.task, name)


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


class Results:
    """All combinations of a sweep, kept up to date as runs finish."""

    def __init__(self, path: Path, asked: Asked) -> None:
        self.path, self.asked = path, asked
        self.rows = {
            variant: Row(variant, seeds, dict(self._finished(variant, seeds)), {})
            for variant, seeds in asked.seeds.items()
        }

    def _finished(self, variant: Variant, seeds: Sequence[int]) -> Iterator[tuple[int, dict[str, Any]]]:
        for seed in seeds:
            folder = self._folder(variant, seed)
            if is_finished(folder):
                yield seed, read_summary(folder)

    def _folder(self, variant: Variant, seed: int) -> Path:
        return self.path / variant.name / f"seed-{seed}"

    def make_folders(self) -> None:
        """Makes a directory for each combination, as `jdgnn run --seeds` does.

        Raises:
          InputError: one cannot be made.
        """
        for variant, seeds in self.asked.seeds.items():
            folder = self.path / variant.name
            try:
                folder.mkdir(parents=True, exist_ok=True)
                write_json(folder / ORIGIN, {"seeds": seeds})
            except OSError as error:
                raise InputError(f"--out: {folder} cannot be written ({error.strerror}); give another") from error
        for row in self.rows.values():
            self._put_together(row)

    def take(self, variant: Variant, seed: int, reason: str | None) -> Row:
        """Takes in a run that has ended.

        Args:
          variant: its combination.
          seed: its seed.
          reason: why it failed; None if it is finished.

        Returns:
          The row of its combination.
        """
        row = self.rows[variant]
        if reason is None:
            row.summaries[seed] = read_summary(self._folder(variant, seed))
            for seed in sorted(row.summaries):
                row.summaries[seed] = row.summaries.pop(seed)
            self._put_together(row)
        else:
            row.failed[seed] = reason
        return row

    def _put_together(self, row: Row) -> None:
        if row.summaries:
            write_json(self.path / row.variant.name / SEEDS, together(list(row.summaries.values())))

    @property
    def outcome(self) -> dict[Variant, dict[str, Any]]:
        """What `sweep.json` says of each combination."""
        return {variant: dict(_outcome(row)) for variant, row in self.rows.items()}

    @property
    def mixed_ways(self) -> str | None:
        """A clause if runs were computed in several ways that the settings do not tell apart; else None."""
        if "emulation.kernels" in self.asked.keys:
            return None
        summaries = [(row.variant, seed, one) for row in self.rows.values() for seed, one in row.summaries.items()]
        return mixed((f"{variant.label}, seed {seed}", one.get("way")) for variant, seed, one in summaries)

    def write_table(self) -> None:
        """Writes `sweep.csv`: a line for each run that is finished or has failed."""
        lines = [line for row in self.rows.values() for line in _lines(row)]
        names = dict.fromkeys(name for line in lines for name in line)
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, list(names), lineterminator="\n")
        writer.writeheader()
        writer.writerows(lines)
        with whole_file(self.path / TABLE) as file:
            file.write(text.getvalue().encode())


def by_task(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """The same rows for each task that any of them was evaluated by."""
    tasks = dict.fromkeys(task for row in rows for task in row.tasks)
    return {task: [row._replace(chosen=task) for row in rows] for task in tasks}


def are_comparable(rows: Sequence[Row]) -> bool:
    """Whether all combinations were evaluated on the same nodes: no key chooses the network, its splits or links."""
    keys = {key for row in rows for key, _ in row.variant.settings}
    return all(key in NOT_OF_THE_NETWORK or key.split(".")[0] not in REMEDY for key in keys)


def best_of(rows: Sequence[Row]) -> Row | None:
    """The row with the largest mean of what was learned, among those with most finished seeds.

    None if nothing was evaluated, or on networks or splits that differ.
    """
    if not are_comparable(rows):
        return None
    known = [row for row in rows if row.task]
    most = max((len(row.summaries) for row in known), default=0)
    full = [row for row in known if len(row.summaries) == most]
    return max(full, key=lambda row: row.values("learned").mean(), default=None)


def alike(rows: Sequence[Row]) -> list[list[Row]]:
    """Combinations with the same figures at the end of every common seed: their settings make no difference."""
    groups: list[list[Row]] = []
    for row in rows:
        group = next((found for found in groups if _are_alike(found[0], row)), None)
        if group is None:
            groups.append([row])
        else:
            group.append(row)
    return [group for group in groups if len(group) > 1]


def _are_alike(row: Row, other: Row) -> bool:
    seeds = row.summaries.keys() & other.summaries.keys()
    return bool(seeds) and all(
        row.summaries[seed].get(key) == other.summaries[seed].get(key) for seed in seeds for key in ALIKE
    )


def difference_to(row: Row, best: Row) -> Difference | None:
    """By how much a row has learned more than the best, over the seeds that both have; None for the best itself."""
    seeds = [seed for seed in row.summaries if seed in best.summaries]
    if row is best or row.task is None or row.task != best.task or not seeds:
        return None
    values, others = row.values("learned", seeds), best.values("learned", seeds)
    return paired_difference(values, others, repeats_of(row.task)) if values.shape == others.shape else None


def _outcome(row: Row) -> Iterator[tuple[str, Any]]:
    yield "finished", list(row.summaries)
    yield "failed", {str(seed): reason for seed, reason in row.failed.items()}
    yield "tasks", {task: _scored(one) for task, (one,) in by_task([row]).items()}
    for name in ("consensus_distance", "loss", "seconds"):
        yield name, getattr(row, name)


def _scored(row: Row) -> dict[str, Any]:
    learned, gain = row.learned, row.gain
    return {
        "metric": row.metric,
        "learned": None if learned is None else learned._asdict(),
        "gain": None if gain is None else gain._asdict(),
    }


def _lines(row: Row) -> Iterator[dict[str, Any]]:
    settings = {"directory": row.variant.name, **dict(row.variant.settings)}
    for seed in row.seeds:
        if seed in row.summaries:
            yield {**settings, "seed": seed, "failed": "", **dict(_figures(row.summaries[seed]))}
        elif seed in row.failed:
            yield {**settings, "seed": seed, "failed": row.failed[seed]}


def _figures(summary: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    yield "ticks", summary["ticks"]
    for task, metrics in summary["tasks"].items():
        for metric, named in metrics.items():
            for name, score in named.items():
                yield f"{task}.{metric}.{name}", float(np.mean(score["values"]))
    yield "consensus_distance", summary["consensus_distance"]
    with contextlib.suppress(ValueError):
        yield "loss", _mean(summary["loss"])
    yield "wall_seconds", summary["wall_seconds"]
    yield "backend", (summary.get("way") or {}).get("backend")
    yield "digest", summary["digest"]
