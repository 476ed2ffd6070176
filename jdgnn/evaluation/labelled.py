"""What embeddings are evaluated on: labels, splits and a metric, checked in one place for every probe."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jdgnn.errors import InputError, suggestion
from jdgnn.network.network import Network, Splits, check_stand_in_splits, checked_splits

METRICS = ("accuracy", "roc_auc")
"""What a probe can report: the share of test nodes classified right, or the area under the ROC curve (two classes)."""


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """What every embedding of a comparison is evaluated on, checked."""

    labels: NDArray[np.int32]  # [N]
    splits: Splits
    metric: str


def checked_labels(network: Network, splits: Splits | None, metric: str | None) -> Labelled:
    """What is evaluated, or an InputError."""
    labels = labels_of(network)
    splits = network.splits if splits is None else splits
    if splits is None:
        raise InputError(
            f"splits: {network.name!r} has none; write splits=jdgnn.network.random_splits(network.labels, 10, "
            "per_class=20), or others that suit it"
        )
    splits = checked_splits(splits, network.num_nodes)
    assert splits is not None
    check_stand_in_splits(splits, labels)
    num_classes = len(np.unique(labels[eligible(splits)]))
    metric = _checked_metric(metric, num_classes)
    for split in range(splits.num_splits):
        _check_split(labels, splits, split, metric)
    return Labelled(labels=labels, splits=splits, metric=metric)


def labels_of(network: Network) -> NDArray[np.int32]:
    """The labels [N], or an InputError."""
    if network.labels is None:
        raise InputError(f"network: {network.name!r} has no labels to predict; make it with labels=")
    return network.labels


def eligible(splits: Splits) -> NDArray[np.bool_]:
    """Which nodes stand in any split [N]."""
    return np.asarray((splits.train | splits.validation | splits.test).any(axis=0))


def _checked_metric(metric: str | None, num_classes: int) -> str:
    if metric is None:
        return "roc_auc" if num_classes == 2 else "accuracy"
    if metric not in METRICS:
        raise InputError(f"metric: got {metric!r}; {suggestion(str(metric), METRICS)}")
    if metric == "roc_auc" and num_classes != 2:
        raise InputError(f"metric: got 'roc_auc', and there are {num_classes} classes, not 2; write 'accuracy'")
    return metric


def _check_split(labels: NDArray[np.int32], splits: Splits, split: int, metric: str) -> None:
    """Raises InputError where a part of a split is empty or lacks a class that it needs."""
    parts = {part: labels[getattr(splits, part)[split]] for part in ("train", "validation", "test")}
    classes = np.unique(np.concatenate(list(parts.values())))
    for part, present in parts.items():
        if not len(present):
            raise InputError(f"splits.{part}: split {split} has no nodes there; give it some")
        missing = np.setdiff1d(classes, present)
        if len(missing) and (part == "train" or metric == "roc_auc"):
            raise InputError(
                f"splits.{part}: split {split} has no node of class {missing[0]} there; "
                "write jdgnn.network.random_splits with per_class and every_class=True, or with more nodes"
            )
    if len(classes) < 2:
        raise InputError(f"network: all nodes of split {split} are of class {classes[0]}; nothing is to be predicted")
