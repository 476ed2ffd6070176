"""The linear probe: how well a linear classifier reads the labels off frozen embeddings."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jdgnn.checks import check_count
from jdgnn.errors import InputError, suggestion
from jdgnn.evaluation.vectors import checked_embeddings, unit_length
from jdgnn.network.network import Network, Splits, check_stand_in_splits
from jdgnn.network.splits import random_splits

METRICS = ("accuracy", "roc_auc")
"""What a probe can report: the share of test nodes classified right, or the area under the ROC curve (two classes)."""

REGULARISATIONS = tuple(10.0**exponent for exponent in range(-3, 6))
"""The inverse strengths C of the L2 penalty that are tried, as scikit-learn counts them."""

OWN_WEIGHTS = (0.0, 0.5, 2.0, 8.0)
"""The weights of a node's own features beside its embedding that are tried."""

_MAX_ITERATIONS = 2000


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
    num_unconverged: int  # fits that ended before the solver converged

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
        return f"ProbeResult({self.metric} {100 * self.mean:.1f}{spread}, width {self.width}{unconverged})"


def linear_probe(
    embeddings: ArrayLike,
    network: Network,
    *,
    splits: Splits | None = None,
    metric: str | None = None,
    own_columns: int = 0,
) -> ProbeResult:
    """Judges embeddings by logistic regression on the training nodes of each split.

    Each node's vector is scaled to length one, as in the evaluation of GRACE (Zhu et al., arXiv 2006.04131), so only
    its direction is read and the penalty means the same for every kind of embedding; a vector of zeros stays. (A
    width of 1 has no direction: a constant, the root mean square, is put beside it first.) C is the one of
    `REGULARISATIONS` with the best metric on the validation nodes, the smallest of those that tie. Nothing here is
    random.

    Where `beside_own_features` has put a node's own features beside its embedding, only the task can say how much they
    weigh: neighbours may mislead in one task on a network and help in another. So each of `OWN_WEIGHTS` is tried as a
    factor of these columns, before vectors are scaled, and chosen together with C.

    Args:
      embeddings: one vector for each node, finite numbers [N, W].
      network: the network; its labels are what is predicted.
      splits: which nodes to learn from, to choose C on and to judge on; None for those of the network.
      metric: one of `METRICS`; None for ROC-AUC if there are two classes, else accuracy.
      own_columns: how many of the last columns are a node's own features, fewer than W.

    Returns:
      The metric on the test nodes of each split.

    Raises:
      InputError: embeddings do not fit the network, labels or splits are missing, a split cannot be used, or
        `own_columns` leaves no others.

    Example:
      >>> from jdgnn.network import from_edges, random_splits
      >>> labels = np.arange(40) % 2
      >>> network = from_edges(np.arange(39), np.arange(1, 40), np.eye(2)[labels], labels=labels)
      >>> splits = random_splits(labels, 5, per_class=4, validation=10)
      >>> linear_probe(network.features, network, splits=splits)
      ProbeResult(roc_auc 100.0 ± 0.0 over 5 splits, width 2)
    """
    vectors = checked_embeddings("embeddings", embeddings, network.num_nodes)
    return _probe(vectors, _checked_columns(own_columns, vectors), checked_task(network, splits, metric))


def probe_table(
    embeddings: Mapping[str, ArrayLike],
    network: Network,
    *,
    splits: Splits | None = None,
    metric: str | None = None,
    own_columns: Mapping[str, int] | None = None,
) -> dict[str, ProbeResult]:
    """Judges several embeddings of one network alike, each as `linear_probe` does.

    All are checked before the first is probed.

    Args:
      embeddings: vectors [N, W] by name; the widths may differ.
      network: the network; its labels are what is predicted.
      splits: which nodes to learn from, to choose C on and to judge on; None for those of the network.
      metric: one of `METRICS`; None for ROC-AUC if there are two classes, else accuracy.
      own_columns: for names whose last columns are a node's own features, how many; fewer than W.

    Returns:
      A result for each name, in the order given.

    Raises:
      InputError: embeddings do not fit the network, labels or splits are missing, or a split cannot be used.

    Example:
      >>> from jdgnn.evaluation import controls
      >>> from jdgnn.network import from_edges, random_splits
      >>> labels = np.arange(60) // 20
      >>> splits = random_splits(labels, 1, per_class=4, validation=10)
      >>> network = from_edges(np.arange(59), np.arange(1, 60), np.eye(3)[labels], labels=labels, splits=splits)
      >>> probe_table(controls(network, width=2), network)["raw"]
      ProbeResult(accuracy 100.0 on one split, width 3)
    """
    vectors = {
        name: checked_embeddings(f"embeddings[{name!r}]", given, network.num_nodes)
        for name, given in embeddings.items()
    }
    task = checked_task(network, splits, metric)
    own = {} if own_columns is None else dict(own_columns)
    for name in own:
        if name not in vectors:
            raise InputError(f"own_columns: got {name!r}; {suggestion(str(name), list(vectors))}")
    columns = {name: _checked_columns(own.get(name, 0), given) for name, given in vectors.items()}
    return {name: _probe(given, columns[name], task) for name, given in vectors.items()}


def few_label_probe(
    embeddings: ArrayLike,
    network: Network,
    *,
    per_class: int = 5,
    num_splits: int = 20,
    seed: int = 0,
    own_columns: int = 0,
) -> ProbeResult:
    """`linear_probe` with few labels: random splits with some training nodes of each class, as many to choose C on.

    Args:
      embeddings: one vector for each node, finite numbers [N, W].
      network: the network; its labels are what is predicted.
      per_class: training nodes of each class.
      num_splits: S.
      seed: what the splits depend on.
      own_columns: as in `linear_probe`.

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
    labels = _labels_of(network)
    eligible = labels >= 0 if network.splits is None else _eligible(network.splits)
    num_classes = len(np.unique(labels[eligible]))
    splits = random_splits(
        labels,
        num_splits,
        per_class=per_class,
        validation=per_class * num_classes,
        eligible=eligible,
        seed=seed,
    )
    return linear_probe(embeddings, network, splits=splits, own_columns=own_columns)


@dataclass(frozen=True, kw_only=True)
class Task:
    """What every embedding of a comparison is judged on, checked."""

    labels: NDArray[np.int32]  # [N]
    splits: Splits
    metric: str


def _checked_columns(own_columns: int, vectors: NDArray[np.float64]) -> int:
    check_count("own_columns", own_columns, minimum=0)
    if own_columns >= vectors.shape[1]:
        raise InputError(f"own_columns: got {own_columns}, and there are {vectors.shape[1]} columns in all; give fewer")
    return own_columns


def _probe(vectors: NDArray[np.float64], own_columns: int, task: Task) -> ProbeResult:
    from threadpoolctl import threadpool_limits

    weights = OWN_WEIGHTS if own_columns else (1.0,)
    tried = {weight: unit_length(_weighted(vectors, own_columns, weight)) for weight in weights}
    with threadpool_limits(limits=1):  # the fits are small: more threads wait for each other, tens of times as long
        results = [_probe_split(tried, task, split) for split in range(task.splits.num_splits)]
    values, chosen, own_weights, num_unconverged = zip(*results, strict=True)
    return ProbeResult(
        metric=task.metric,
        values=np.array(values),
        setting=np.array(chosen),
        width=vectors.shape[1],
        own_weight=np.array(own_weights) if own_columns else None,
        num_unconverged=sum(num_unconverged),
    )


def _weighted(vectors: NDArray[np.float64], own_columns: int, weight: float) -> NDArray[np.float64]:
    factors = np.ones(vectors.shape[1])
    factors[len(factors) - own_columns :] = weight
    return vectors * factors


def _probe_split(tried: Mapping[float, NDArray[np.float64]], task: Task, split: int) -> tuple[float, float, float, int]:
    """Gives the metric on the test nodes, the C and the weight chosen for it, and how many fits did not converge."""
    from sklearn.linear_model import LogisticRegression

    best, value, chosen, own_weight, num_unconverged = -np.inf, np.nan, np.nan, np.nan, 0
    for weight, vectors in tried.items():
        train, validation, test = (
            (vectors[mask[split]], task.labels[mask[split]])
            for mask in (task.splits.train, task.splits.validation, task.splits.test)
        )
        # from strong to weak: each fit starts where the one before ended
        classifier = LogisticRegression(max_iter=_MAX_ITERATIONS, warm_start=True)
        for regularisation in REGULARISATIONS:
            num_unconverged += not _fit(classifier.set_params(C=regularisation), *train)
            score = _score(classifier, task.metric, *validation)
            if score > best:
                best, value = score, _score(classifier, task.metric, *test)
                chosen, own_weight = regularisation, weight
    return value, chosen, own_weight, num_unconverged


def _fit(classifier: Any, vectors: NDArray[np.float64], labels: NDArray[np.int32]) -> bool:
    """Fits in place; says whether the solver converged, in place of scikit-learn's warning."""
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        classifier.fit(vectors, labels)
    is_about_convergence = [issubclass(warning.category, ConvergenceWarning) for warning in caught]
    for warning, is_expected in zip(caught, is_about_convergence, strict=True):
        if not is_expected:
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
    return not any(is_about_convergence)


def _score(classifier: Any, metric: str, vectors: NDArray[np.float64], labels: NDArray[np.int32]) -> float:
    from sklearn.metrics import roc_auc_score

    if metric == "accuracy":
        return float(classifier.score(vectors, labels))
    return float(roc_auc_score(labels, classifier.decision_function(vectors)))


def checked_task(network: Network, splits: Splits | None, metric: str | None) -> Task:
    """What is judged, or an InputError."""
    labels = _labels_of(network)
    splits = network.splits if splits is None else splits
    if splits is None:
        raise InputError(
            f"splits: {network.name!r} has none; write splits=jdgnn.network.random_splits(network.labels, 10, "
            "per_class=20), or others that suit it"
        )
    _check_shape(splits, network.num_nodes)
    check_stand_in_splits(splits, labels)
    num_classes = len(np.unique(labels[_eligible(splits)]))
    metric = _checked_metric(metric, num_classes)
    for split in range(splits.num_splits):
        _check_split(labels, splits, split, metric)
    return Task(labels=labels, splits=splits, metric=metric)


def _labels_of(network: Network) -> NDArray[np.int32]:
    if network.labels is None:
        raise InputError(f"network: {network.name!r} has no labels to predict; make it with labels=")
    return network.labels


def _eligible(splits: Splits) -> NDArray[np.bool_]:
    """Which nodes stand in any split [N]."""
    return np.asarray((splits.train | splits.validation | splits.test).any(axis=0))


def _check_shape(splits: Splits, num_nodes: int) -> None:
    for part in ("train", "validation", "test"):
        mask = np.asarray(getattr(splits, part))
        if mask.dtype != bool or mask.shape != (splits.num_splits, num_nodes) or not splits.num_splits:
            raise InputError(
                f"splits.{part}: got {mask.dtype} {mask.shape}, and booleans [splits, {num_nodes}] are needed"
            )


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
