"""The linear probe: how well a linear classifier reads the labels off frozen embeddings."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jdgnn.checks import check_count
from jdgnn.errors import InputError, suggestion
from jdgnn.evaluation.fitting import REGULARISATIONS, choose
from jdgnn.evaluation.labelled import METRICS, Labelled, checked_labels, eligible, labels_of
from jdgnn.evaluation.own_features import own_blocks
from jdgnn.evaluation.vectors import checked_embeddings
from jdgnn.network.network import Network, Splits
from jdgnn.network.splits import random_splits

__all__ = ["METRICS", "REGULARISATIONS", "ProbeResult", "few_label_probe", "linear_probe", "probe_table"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ProbeResult:
    """What a probe found on the test nodes of S splits; shares of 1, not percent.

    `mean` and `sd` are taken over the splits. With a single split the sd is 0: the spread is unknown then, and
    `num_splits` says so.
    """

    metric: str  # one of METRICS
    values: NDArray[np.float64]  # [S], each from 0 to 1
    setting: NDArray[np.float64]  # [S]: what was chosen on the validation nodes; C, or the number of neighbours
    width: int  # columns of what was probed
    own_weight: NDArray[np.float64] | None = None  # [S]: of own features, chosen likewise; None where there are none
    degree_weight: NDArray[np.float64] | None = None  # [S]: of the degree beside them
    num_unconverged: int  # fits that ended before the solver converged
    num_at_edge: int = 0  # splits whose best C is the lowest or the highest of `REGULARISATIONS`

    @property
    def num_splits(self) -> int:
        """Number of splits, S."""
        return len(self.values)

    @property
    def mean(self) -> float:
        """Mean of the metric over the splits."""
        return float(self.values.mean())

    @property
    def sd(self) -> float:
        """Sample standard deviation over the splits (divisor S − 1); 0 for a single split."""
        return float(self.values.std(ddof=1)) if self.num_splits > 1 else 0.0

    def __repr__(self) -> str:
        spread = f" ± {100 * self.sd:.1f} over {self.num_splits} splits" if self.num_splits > 1 else " on one split"
        unconverged = f", {self.num_unconverged} fits unconverged" if self.num_unconverged else ""
        at_edge = f", C at the edge of its grid in {self.num_at_edge} splits" if self.num_at_edge else ""
        return f"ProbeResult({self.metric} {100 * self.mean:.1f}{spread}, width {self.width}{unconverged}{at_edge})"


def linear_probe(
    embeddings: ArrayLike,
    network: Network,
    *,
    splits: Splits | None = None,
    metric: str | None = None,
    own_features: int = 0,
) -> ProbeResult:
    """Evaluates embeddings by logistic regression on the training nodes of each split.

    Each node's vector is scaled to length one, as in the evaluation of GRACE (Zhu et al., arXiv 2006.04131), so only
    its direction is read and the penalty means the same for every kind of embedding; a vector of zeros stays. (A
    width of 1 has no direction: a constant, the root mean square, is put beside it first.) C is the one of
    `REGULARISATIONS` with the best metric on the validation nodes, the middle one of those that tie. Where the best is
    the lowest or the highest C, a better one may lie beyond: `num_at_edge` of the result counts such splits. Nothing
    here is random.

    With `own_features`, what a node knows of itself stands beside its embedding: its features and its degree, which a
    task that runs at the node has at hand. Only the task can say how much they weigh: neighbours may mislead in one
    task on a network and help in another. So the weight of the features, and then that of the degree, is chosen
    together with C on the validation nodes, among 0, 0.5, 2 and infinity (nothing else is read).

    Args:
      embeddings: one vector for each node, finite numbers [N, W].
      network: the network; its labels are what is predicted.
      splits: which nodes to learn from, to choose C on and to evaluate on; None for those of the network.
      metric: one of `METRICS`; None for ROC-AUC if there are two classes, else accuracy.
      own_features: columns of own features beside the embedding at most, as `jdgnn.recipe(...).own_features` says;
        more features are projected to as many. 0 for the embedding alone.

    Returns:
      The metric on the test nodes of each split.

    Raises:
      InputError: embeddings do not fit the network, labels or splits are missing, or a split cannot be used: its
        parts overlap, or one is empty or lacks a class.

    Example:
      >>> from jdgnn.network import from_edges, random_splits
      >>> labels = np.arange(40) % 2
      >>> network = from_edges(np.arange(39), np.arange(1, 40), np.eye(2)[labels], labels=labels)
      >>> splits = random_splits(labels, 5, per_class=4, validation=10)
      >>> linear_probe(network.features, network, splits=splits)
      ProbeResult(roc_auc 100.0 ± 0.0 over 5 splits, width 2)
      >>> linear_probe(np.ones((40, 1)), network, splits=splits, own_features=2).mean
      1.0
    """
    vectors = checked_embeddings("embeddings", embeddings, network.num_nodes)
    return _probe(_blocks(vectors, network, own_features), checked_labels(network, splits, metric))


def probe_table(
    embeddings: Mapping[str, ArrayLike],
    network: Network,
    *,
    splits: Splits | None = None,
    metric: str | None = None,
    own_features: Mapping[str, int] | None = None,
) -> dict[str, ProbeResult]:
    """Evaluates several embeddings of one network alike, each as `linear_probe` does.

    All are checked before the first is probed.

    Args:
      embeddings: vectors [N, W] by name; the widths may differ.
      network: the network; its labels are what is predicted.
      splits: which nodes to learn from, to choose C on and to evaluate on; None for those of the network.
      metric: one of `METRICS`; None for ROC-AUC if there are two classes, else accuracy.
      own_features: for names that own features stand beside, columns of them at most; see `linear_probe`.

    Returns:
      A result for each name, in the order given.

    Raises:
      InputError: embeddings do not fit the network, labels or splits are missing, or a split cannot be used.

    Example:
      >>> from jdgnn.evaluation import baselines
      >>> from jdgnn.network import from_edges, random_splits
      >>> labels = np.arange(60) // 20
      >>> splits = random_splits(labels, 1, per_class=4, validation=10)
      >>> network = from_edges(np.arange(59), np.arange(1, 60), np.eye(3)[labels], labels=labels, splits=splits)
      >>> probe_table(baselines(network, width=2), network)["raw"]
      ProbeResult(accuracy 100.0 on one split, width 3)
    """
    vectors = {
        name: checked_embeddings(f"embeddings[{name!r}]", given, network.num_nodes)
        for name, given in embeddings.items()
    }
    labelled = checked_labels(network, splits, metric)
    own = {} if own_features is None else dict(own_features)
    for name in own:
        if name not in vectors:
            raise InputError(f"own_features: got {name!r}; {suggestion(str(name), list(vectors))}")
    blocks = {name: _blocks(given, network, own.get(name, 0)) for name, given in vectors.items()}
    return {name: _probe(given, labelled) for name, given in blocks.items()}


def few_label_probe(
    embeddings: ArrayLike,
    network: Network,
    *,
    per_class: int = 5,
    num_splits: int = 20,
    seed: int = 0,
    own_features: int = 0,
) -> ProbeResult:
    """`linear_probe` with few labels: random splits with some training nodes of each class, as many to choose C on.

    Args:
      embeddings: one vector for each node, finite numbers [N, W].
      network: the network; its labels are what is predicted.
      per_class: training nodes of each class.
      num_splits: S.
      seed: what the splits depend on.
      own_features: as in `linear_probe`.

    Returns:
      The metric on the test nodes of each split.

    Raises:
      InputError: embeddings do not fit the network, or it has no labels or too few of a class.

    Example:
      >>> from jdgnn.network import from_edges
      >>> labels = np.arange(60) % 3
      >>> network = from_edges(np.arange(59), np.arange(1, 60), np.eye(3)[labels], labels=labels)
      >>> few_label_probe(network.features, network, per_class=2, num_splits=3)
      ProbeResult(accuracy 100.0 ± 0.0 over 3 splits, width 3)
    """
    labels = labels_of(network)
    candidates = labels >= 0 if network.splits is None else eligible(network.splits)
    num_classes = len(np.unique(labels[candidates]))
    splits = random_splits(
        labels,
        num_splits,
        per_class=per_class,
        validation=per_class * num_classes,
        eligible=candidates,
        every_class=num_classes == 2,  # which the ROC-AUC needs
        seed=seed,
    )
    return linear_probe(embeddings, network, splits=splits, own_features=own_features)


def _blocks(vectors: NDArray[np.float64], network: Network, own_features: int) -> list[NDArray[np.float64]]:
    """What stands side by side."""
    check_count("own_features", own_features, minimum=0)
    return [vectors, *own_blocks(network, own_features)] if own_features else [vectors]


def _probe(blocks: list[NDArray[np.float64]], labelled: Labelled) -> ProbeResult:
    import sklearn.linear_model  # noqa: F401  (limits hold for libraries that are loaded)
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1):  # the fits are small: more threads wait for each other, tens of times as long
        chosen = [choose(blocks, labelled, split) for split in range(labelled.splits.num_splits)]
    weights = [np.array(of_block) for of_block in zip(*(one.weights for one in chosen), strict=True)]
    own, degree = weights or (None, None)
    return ProbeResult(
        metric=labelled.metric,
        values=np.array([one.value for one in chosen]),
        setting=np.array([one.setting for one in chosen]),
        width=sum(block.shape[1] for block in blocks),
        own_weight=own,
        degree_weight=degree,
        num_unconverged=sum(one.num_unconverged for one in chosen),
        num_at_edge=sum(one.is_at_edge for one in chosen),
    )
