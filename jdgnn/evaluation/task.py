"""What an evaluation task is: it scores one embedding of all nodes, by one or several metrics.

Axes: N nodes, W columns of an embedding, R repeats (splits, or starts).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import jax
import numpy as np
from numpy.typing import NDArray

from jdgnn.evaluation.link_prediction import HeldOutLinks
from jdgnn.network.network import Network

METRIC_NAMES = {
    "accuracy": "accuracy",
    "roc_auc": "ROC-AUC",
    "nmi": "NMI",
    "ari": "ARI",
    "auc": "ROC-AUC",
    "average_precision": "average precision",
}
"""Metrics in words; all are shares of 1, and larger is better."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What a task sees: an embedding, and what is known of the network.

    Attributes:
      embeddings: one vector per node [N, W].
      network: with labels (−1: none) and splits, if it has any.
      held_out: links that no node has learned from; None if none were held out.
      own_features: columns of a node's own features next to its embedding at most, as `linear_probe` takes them.
      most: at most so many repeats, the first ones; None for all.
    """

    embeddings: NDArray[np.floating]
    network: Network
    held_out: HeldOutLinks | None = None
    own_features: int = 0
    most: int | None = None

    def repeats(self, count: int) -> int:
        """How many of so many repeats are made."""
        return count if self.most is None else min(count, self.most)

    @property
    def first_splits(self) -> Network:
        """The network with the splits that are used."""
        splits = self.network.splits
        if splits is None or self.repeats(splits.num_splits) == splits.num_splits:
            return self.network
        return replace(self.network, splits=jax.tree.map(lambda mask: mask[: self.most], splits))


class Score(NamedTuple):
    """What a task found by one metric; shares of 1."""

    values: NDArray[np.float64]  # [R]
    width: int  # columns that were read
    num_unconverged: int = 0  # fits that ended before the solver converged
    num_at_edge: int = 0  # repeats whose best setting is at the edge of the grid

    @property
    def mean(self) -> float:
        """Mean over the repeats."""
        return float(self.values.mean())

    @property
    def sd(self) -> float:
        """Sample standard deviation over the repeats (divisor R − 1); 0 for a single one."""
        return float(self.values.std(ddof=1)) if len(self.values) > 1 else 0.0


class Task(NamedTuple):
    """An evaluation task.

    Members:
      title: its name in tables and figures.
      evaluate: `seen -> {metric: score}`; the first metric is the one that tables and figures show. Metrics are keys of
        `METRIC_NAMES`, or shown as they are.
      why_not: `(network, held_out) -> reason` why it cannot be done on a network; None if it can.
      repeats: what values are taken over, `splits` or `starts`.

    Example:
      >>> import numpy as np
      >>> from jdgnn.network import ring
      >>> def degrees(seen: Seen) -> dict[str, Score]:
      ...     found = np.corrcoef(seen.embeddings[:, 0], seen.network.in_degree)[0, 1]
      ...     return {"correlation": Score(np.array([found]), 1)}
      >>> task = Task("degree", degrees, lambda network, held_out: None)
      >>> task.title, task.repeats
      ('degree', 'splits')
    """

    title: str
    evaluate: Callable[[Seen], dict[str, Score]]
    why_not: Callable[[Network, HeldOutLinks | None], str | None]
    repeats: str = "splits"


def needs_classes(network: Network, held_out: HeldOutLinks | None = None) -> str | None:
    """Why there is nothing to predict: there are no labels, or all are of one class."""
    if network.labels is None:
        return "the network has no labels"
    if len(np.unique(network.labels[network.labels >= 0])) < 2:
        return "all labels are of one class"
    return None
