"""The scores of tasks in the summaries of runs, as shares of 1."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Summary = dict[str, Any]


def common(tables: Iterable[Collection[str]]) -> list[str]:
    """The names that all tables have, in the order of the first."""
    first, *others = [*tables] or [()]
    return [name for name in first if all(name in other for other in others)]


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
