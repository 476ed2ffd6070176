"""The k-nearest-neighbour probe: whether nodes of one class lie together, without fitting anything."""

from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jdgnn.evaluation.labelled import Labelled, checked_labels
from jdgnn.evaluation.probe import ProbeResult
from jdgnn.evaluation.vectors import checked_embeddings, unit_length
from jdgnn.evaluation.votes import Tried, probe_by_votes
from jdgnn.network.network import Network, Splits

NUM_NEIGHBOURS = (1, 3, 5, 10, 20, 50)
"""The numbers of neighbours that are tried."""

_MOST_ENTRIES = 2**24
"""Of cosines that are held at a time."""


def knn_probe(
    embeddings: ArrayLike, network: Network, *, splits: Splits | None = None, metric: str | None = None
) -> ProbeResult:
    """Evaluates embeddings by the classes of the training nodes that are nearest by the cosine.

    Each of the k nearest has one vote. k is the one of `NUM_NEIGHBOURS` with the best metric on the validation nodes,
    the smallest of those that tie.

    Args:
      embeddings: one vector for each node, finite numbers [N, W].
      network: the network; its labels are what is predicted.
      splits: which nodes vote, to choose k on and to evaluate on; None for those of the network.
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
    labelled = checked_labels(network, splits, metric)
    return probe_by_votes(labelled, vectors.shape[1], partial(_tried, unit_length(vectors), labelled))


def _tried(vectors: NDArray[np.float64], labelled: Labelled, split: int) -> Tried:
    """Each number of neighbours, and how many of them are of each class."""
    train, validation, test = (
        mask[split] for mask in (labelled.splits.train, labelled.splits.validation, labelled.splits.test)
    )
    classes = np.eye(labelled.labels.max() + 1)[labelled.labels[train]]
    most = min(max(NUM_NEIGHBOURS), len(classes))
    on_validation, on_test = (_counts(vectors[nodes], vectors[train], classes, most) for nodes in (validation, test))
    for number in [number for number in NUM_NEIGHBOURS if number <= most]:
        yield number, on_validation[:, number - 1], on_test[:, number - 1]


def _counts(
    vectors: NDArray[np.float64], others: NDArray[np.float64], classes: NDArray[np.float64], most: int
) -> NDArray[np.float64]:
    """How many of the nearest 1, 2, … others are of each class [n, most, classes]."""
    rows = max(1, _MOST_ENTRIES // len(others))
    blocks = [vectors[start : start + rows] for start in range(0, len(vectors), rows)]
    nearest = [np.argsort(-(block @ others.T), axis=1, kind="stable")[:, :most] for block in blocks]
    return np.cumsum(classes[np.concatenate(nearest)], axis=1)
