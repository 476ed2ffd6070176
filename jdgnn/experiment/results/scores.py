"""The scores of tasks in the summaries of runs, as shares of 1."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from jdgnn.experiment.results.labels import repeats_of
from jdgnn.experiment.results.statistics import Difference, Spread, paired_difference, spread

Summary = dict[str, Any]
Key = TypeVar("Key")


def common(tables: Iterable[Collection[Key]]) -> list[Key]:
    """The keys that all tables have, in the order of the first."""
    first, *others = [*tables] or [()]
    return [key for key in first if all(key in other for other in others)]


def tasks_of(summaries: Iterable[Summary]) -> list[str]:
    """Names of the tasks by which all runs were evaluated."""
    return common(summary["tasks"] for summary in summaries)


def metric_of(summary: Summary, task: str) -> str:
    """The metric of a task that tables show: its first."""
    return next(iter(summary["tasks"][task]))


def names_of(summaries: Iterable[Summary], task: str) -> list[str]:
    """Names of the embeddings of which all runs have scores."""
    return common(summary["tasks"][task][metric_of(summary, task)] for summary in summaries)


def values_of(summaries: Sequence[Summary], task: str, name: str, metric: str | None = None) -> NDArray[np.float64]:
    """The scores of an embedding, for each run and repeat [R, S]; by the metric that tables show, or another."""
    metric = metric or metric_of(summaries[0], task)
    return np.array([summary["tasks"][task][metric][name]["values"] for summary in summaries], np.float64)


def spreads_of(summaries: Sequence[Summary], task: str) -> dict[str, Spread]:
    """The scores of each embedding over runs."""
    return {name: spread(values_of(summaries, task, name), repeats_of(task)) for name in names_of(summaries, task)}


def difference_of(runs: Mapping[int, Summary], others: Mapping[int, Summary], task: str) -> Difference | None:
    """By how much learned scores exceed those of other runs, over common seeds; None if they cannot be paired."""
    pairs = [(runs[seed], others[seed]) for seed in common([runs, others])]
    if not pairs:
        return None
    values, of_others = (values_of(summaries, task, "learned") for summaries in zip(*pairs, strict=True))
    return paired_difference(values, of_others, repeats_of(task)) if values.shape == of_others.shape else None
