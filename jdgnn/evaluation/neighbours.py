"""The k-nearest-neighbour probe: whether nodes of one class lie together, without fitting anything."""

import numpy as np
from numpy.typing import ArrayLike

from jdgnn.evaluation.probe import ProbeResult, Task, checked_task, score_of
from jdgnn.evaluation.vectors import checked_embeddings, unit_length
from jdgnn.network.network import Network, Splits

NUM_NEIGHBOURS = (1, 3, 5, 10, 20, 50)
"""The numbers of neighbours that are tried."""


def knn_probe(
    embeddings: ArrayLike, network: Network, *, splits: Splits | None = None, metric: str | None = None
) -> ProbeResult:
    """Judges embeddings by the classes of the training nodes that are nearest by the cosine.

    Each of the k nearest has one vote. k is the one of `NUM_NEIGHBOURS` with the best metric on the validation nodes,
    the smallest of those that tie.

    Args:
      embeddings: one vector for each node, finite numbers [N, W].
      network: the network; its labels are what is predicted.
      splits: which nodes vote, to choose k on and to judge on; None for those of the network.
      metric: one of `METRICS`; None for ROC-AUC if there are two classes, else accuracy.

    Returns:
      The metric on the test nodes of each split; `setting` holds the k chosen.

    Raises:
      InputError: embeddings do not fit the network, labels or splits are missing, or a split cannot be used.

    Example:
      >>> from jdgnn.network import from_edges, random_splits
      >>> labels = np.arange(40) % 2
      >>> network = from_edges(np.arange(39), np.arange(1, 40), np.eye(2)[labels], labels=labels)
      >>> knn_probe(network.features, network, splits=random_splits(labels, 5, per_class=4, validation=10))
      ProbeResult(roc_auc 100.0 ± 0.0 over 5 splits, width 2)
    """
    vectors = checked_embeddings("embeddings", embeddings, network.num_nodes)
    task = checked_task(network, splits, metric)
    results = [_judge_split(unit_length(vectors), task, split) for split in range(task.splits.num_splits)]
    values, chosen = zip(*results, strict=True)
    return ProbeResult(
        metric=task.metric, values=np.array(values), setting=np.array(chosen), width=vectors.shape[1], num_unconverged=0
    )


def _judge_split(vectors: np.ndarray, task: Task, split: int) -> tuple[float, float]:
    """Gives the metric on the test nodes, and the k chosen for it."""
    train, validation, test = (
        np.flatnonzero(mask[split]) for mask in (task.splits.train, task.splits.validation, task.splits.test)
    )
    votes = np.eye(task.labels.max() + 1)[task.labels[train]]
    most = min(max(NUM_NEIGHBOURS), len(train))
    shares = {}
    for part, nodes in (("validation", validation), ("test", test)):
        nearest = np.argsort(-(vectors[nodes] @ vectors[train].T), axis=1, kind="stable")[:, :most]
        shares[part] = np.cumsum(votes[nearest], axis=1)  # [n, most, classes]
    best, value, chosen = -np.inf, np.nan, np.nan
    for number in [number for number in NUM_NEIGHBOURS if number <= most]:
        score = score_of(task.metric, shares["validation"][:, number - 1], task.labels[validation])
        if score > best:
            best, value, chosen = score, score_of(task.metric, shares["test"][:, number - 1], task.labels[test]), number
    return value, chosen
