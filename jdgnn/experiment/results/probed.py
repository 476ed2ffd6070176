"""What the summaries of runs say was probed."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Summary = dict[str, Any]


def metric(summary: Summary) -> str | None:
    """What was measured, one of `jdgnn.evaluation`'s metrics; None if the network has no labels.

    >>> metric({"probe": {"accuracy": {}}}), metric({"probe": {}})
    ('accuracy', None)
    """
    return next(iter(summary["probe"]), None)


def names(summaries: Iterable[Summary]) -> list[str]:
    """Names of what all of them probed, in the order of the first.

    >>> names([{"probe": {"accuracy": {"learned": {}, "raw": {}}}}, {"probe": {"accuracy": {"learned": {}}}}])
    ['learned']
    """
    tables: list[dict[str, Any]] = [next(iter(summary["probe"].values()), {}) for summary in summaries]
    return [name for name in tables[0] if all(name in table for table in tables)] if tables else []


def values(summaries: Sequence[Summary], name: str) -> NDArray[np.float64]:
    """What the probe found, for each run and split [R, S]; shares of 1, not percent.

    >>> values([{"probe": {"accuracy": {"raw": {"values": [0.5, 0.75]}}}}], "raw").tolist()
    [[0.5, 0.75]]
    """
    return np.array([summary["probe"][metric(summary)][name]["values"] for summary in summaries], np.float64)
