"""The scores of tasks in the summaries of runs; shares of 1, not percent."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Summary = dict[str, Any]


def tasks_of(summaries: Iterable[Summary]) -> list[str]:
    """Names of the tasks that all of them were evaluated by, in the order of the first.

    >>> tasks_of([{"tasks": {"knn": {}, "clustering": {}}}, {"tasks": {"clustering": {}}}])
    ['clustering']
    """
    of_each = [summary["tasks"] for summary in summaries]
    return [task for task in of_each[0] if all(task in tasks for tasks in of_each)] if of_each else []


def metric_of(summary: Summary, task: str) -> str:
    """The metric of a task that tables show.

    >>> metric_of({"tasks": {"clustering": {"nmi": {}, "ari": {}}}}, "clustering")
    'nmi'
    """
    return next(iter(summary["tasks"][task]))


def names_of(summaries: Sequence[Summary], task: str) -> list[str]:
    """Names of the embeddings that all of them have scores of, in the order of the first.

    >>> names_of([{"tasks": {"knn": {"accuracy": {"learned": {}, "raw": {}}}}}], "knn")
    ['learned', 'raw']
    """
    tables = [summary["tasks"][task][metric_of(summary, task)] for summary in summaries]
    return [name for name in tables[0] if all(name in table for table in tables)]


def values_of(summaries: Sequence[Summary], task: str, name: str, metric: str | None = None) -> NDArray[np.float64]:
    """The scores of an embedding, for each run and repeat [R, S]; by the metric that tables show, or another.

    >>> values_of([{"tasks": {"knn": {"accuracy": {"raw": {"values": [0.5, 0.75]}}}}}], "knn", "raw").tolist()
    [[0.5, 0.75]]
    """
    metric = metric or metric_of(summaries[0], task)
    return np.array([summary["tasks"][task][metric][name]["values"] for summary in summaries], np.float64)
