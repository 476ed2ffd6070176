"""Probes that fit nothing: each node votes for classes, by a setting that is chosen on validation nodes."""

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from jdgnn.evaluation.labelled import Labelled
from jdgnn.evaluation.probe import ProbeResult

Votes = NDArray[np.float64]
Tried = Iterable[tuple[float, Votes, Votes]]
"""A setting, and the votes for each class of validation and of test nodes [n, classes]."""


def probe_by_votes(labelled: Labelled, width: int, tried_on: Callable[[int], Tried]) -> ProbeResult:
    """Evaluates votes: of the settings tried on a split, the first that is best on its validation nodes counts.

    Args:
      labelled: what is evaluated.
      width: columns of what is probed.
      tried_on: gives what is tried on the split of a number.

    Returns:
      The metric on the test nodes of each split; `setting` holds the settings chosen.
    """
    results = [_evaluate_split(labelled, split, tried_on(split)) for split in range(labelled.splits.num_splits)]
    values, chosen = zip(*results, strict=True)
    return ProbeResult(
        metric=labelled.metric, values=np.array(values), setting=np.array(chosen), width=width, num_unconverged=0
    )


def _evaluate_split(labelled: Labelled, split: int, tried: Tried) -> tuple[float, float]:
    """Gives the metric on the test nodes, and the setting chosen for it."""
    validation, test = (labelled.labels[mask[split]] for mask in (labelled.splits.validation, labelled.splits.test))
    best, value, chosen = -np.inf, np.nan, np.nan
    for setting, on_validation, on_test in tried:
        score = _score(labelled.metric, on_validation, validation)
        if score > best:
            best, value, chosen = score, _score(labelled.metric, on_test, test), setting
    return value, chosen


def _score(metric: str, votes: NDArray[np.float64], labels: NDArray[np.int32]) -> float:
    """The metric of votes for each class [n, classes] against the classes [n]; without any votes the first class."""
    from sklearn.metrics import roc_auc_score

    if metric == "accuracy":
        return float(np.mean(np.argmax(votes, axis=1) == labels))
    first, second = np.unique(labels)
    both = votes[:, first] + votes[:, second]
    share = np.divide(votes[:, second], both, out=np.full(len(votes), 0.5), where=both > 0)
    return float(roc_auc_score(labels == second, share))
