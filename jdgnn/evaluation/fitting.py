"""The classifier of the linear probe: what it is fitted to, and how its settings are chosen on validation nodes.

Axes: N nodes, n training nodes, W columns.
"""

import warnings
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from jdgnn.evaluation.labelled import Labelled
from jdgnn.evaluation.vectors import unit_length

REGULARISATIONS = tuple(10.0**exponent for exponent in range(-6, 6))
"""The inverse strengths C of the L2 penalty that are tried, as scikit-learn counts them.

The lowest gives, on vectors of length one, a classifier by the class means alone, as every lower one would.
"""

OWN_WEIGHTS = (0.0, 0.5, 2.0, np.inf)
"""The weights that are tried for what a node knows of itself; infinity leaves its embedding out."""

_MAX_ITERATIONS = 2000

Vectors = NDArray[np.float64]


class Choice(NamedTuple):
    """What was chosen on the validation nodes of one split, and what it is worth on the test nodes."""

    value: float  # the metric on the test nodes
    setting: float  # C
    weights: tuple[float, ...]  # of each block beside the first
    is_at_edge: bool  # the best C is the lowest or the highest that was tried
    num_unconverged: int


class _Fit(NamedTuple):
    """One setting."""

    weight: float
    setting: int  # place in REGULARISATIONS
    validation: float
    test: float
    is_converged: bool


def choose(blocks: Sequence[Vectors], labelled: Labelled, split: int) -> Choice:
    """Fits logistic regression to the training nodes of one split, and chooses its settings on the validation nodes.

    Each block is scaled to length one. The blocks are taken up one after another: the weight of the next one beside
    what was chosen so far is chosen together with C.

    Args:
      blocks: vectors [N, W] each; the first is what is evaluated, and may stand alone.
      labelled: labels, splits and metric.
      split: which split.

    Returns:
      The choice; of settings with the same metric on the validation nodes, the middle one.
    """
    base, weights = unit_length(blocks[0]), []
    fits = list(_fits(base, 0.0, labelled, split))
    tried, best = list(fits), middle_of_best(fits)
    for block in blocks[1:]:
        fits = [fit._replace(weight=0.0) for fit in fits if fit.weight == best.weight]
        for weight in OWN_WEIGHTS:
            if weight:
                fits += _fits(beside(base, block, weight), weight, labelled, split)
        tried += [fit for fit in fits if fit.weight]
        best = middle_of_best(fits)
        weights.append(best.weight)
        base = beside(base, block, best.weight)
    return Choice(
        value=best.test,
        setting=REGULARISATIONS[best.setting],
        weights=tuple(weights),
        is_at_edge=_is_at_edge(best, fits),
        num_unconverged=sum(not fit.is_converged for fit in tried),
    )


def beside(vectors: Vectors, block: Vectors, weight: float) -> Vectors:
    """A block beside vectors, each of length one before and all of length one afterwards.

    Args:
      vectors: what stands first [N, W].
      block: what stands beside it [N, W'].
      weight: the factor of the block; 0 leaves it out, infinity leaves the first out.

    Example:
      >>> beside(np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]]), 2.0).round(3).tolist()
      [[0.447, 0.0, 0.0, 0.894]]
    """
    if weight == 0:
        return vectors
    return unit_length(block if np.isinf(weight) else np.concatenate([vectors, weight * unit_length(block)], axis=1))


def middle_of_best(fits: Sequence[_Fit]) -> _Fit:
    """The best fit; of those that tie, the middle weight, and of its settings the middle one.

    >>> fits = [_Fit(0.0, place, score, 0.5, True) for place, score in enumerate((0.8, 0.9, 0.9, 0.9, 0.7))]
    >>> middle_of_best(fits).setting
    2
    """
    most = max(fit.validation for fit in fits)
    tied = [fit for fit in fits if fit.validation == most]
    weights = sorted({fit.weight for fit in tied})
    same = [fit for fit in tied if fit.weight == weights[(len(weights) - 1) // 2]]
    middles = same[(len(same) - 1) // 2 : len(same) // 2 + 1]
    return min(middles, key=lambda fit: abs(2 * fit.setting - len(REGULARISATIONS) + 1))  # an edge says less


def _is_at_edge(best: _Fit, fits: Sequence[_Fit]) -> bool:
    """Whether a better C may lie beyond those tried: where others tie, the edge is not what was best."""
    tied = sum(fit.weight == best.weight and fit.validation == best.validation for fit in fits)
    return tied == 1 and best.setting in (0, len(REGULARISATIONS) - 1)


def _fits(vectors: Vectors, weight: float, labelled: Labelled, split: int) -> Iterator[_Fit]:
    """A fit for each C, from the strongest penalty to the weakest."""
    from sklearn.linear_model import LogisticRegression

    masks = (labelled.splits.train[split], labelled.splits.validation[split], labelled.splits.test[split])
    train, validation, test = _in_span([vectors[mask] for mask in masks])
    labels, on_validation, on_test = (labelled.labels[mask] for mask in masks)
    # each fit starts where the one before ended
    classifier = LogisticRegression(max_iter=_MAX_ITERATIONS, warm_start=True)
    for place, regularisation in enumerate(REGULARISATIONS):
        is_converged = fit_in_place(classifier.set_params(C=regularisation), train, labels)
        validated, tested = (
            _score(classifier, labelled.metric, *part) for part in ((validation, on_validation), (test, on_test))
        )
        yield _Fit(weight, place, validated, tested, is_converged)


def _in_span(parts: list[Vectors]) -> list[Vectors]:
    """Vectors in coordinates of what the training vectors, the first part [n, W], span, where that has fewer columns.

    The weights of a penalised classifier are a sum of training vectors, so what is orthogonal to all of them is never
    read: the classifier is the same, and has n columns in place of W.
    """
    train = parts[0]
    if train.shape[1] <= len(train):
        return parts
    basis = np.linalg.qr(train.T).Q
    return [part @ basis for part in parts]


def fit_in_place(classifier: Any, vectors: Vectors, labels: NDArray[np.int32]) -> bool:
    """Fits; says whether the solver converged, in place of scikit-learn's warning."""
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        classifier.fit(vectors, labels)
    is_about_convergence = [issubclass(warning.category, ConvergenceWarning) for warning in caught]
    for warning, is_expected in zip(caught, is_about_convergence, strict=True):
        if not is_expected:
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
    return not any(is_about_convergence)


def _score(classifier: Any, metric: str, vectors: Vectors, labels: NDArray[np.int32]) -> float:
    """The metric; without scikit-learn's checks, which take as long as a fit."""
    decisions = vectors @ classifier.coef_.T + classifier.intercept_
    if metric == "accuracy":
        is_binary = decisions.shape[1] == 1
        places = (decisions[:, 0] > 0).astype(np.int64) if is_binary else decisions.argmax(axis=1)
        return float(np.mean(classifier.classes_[places] == labels))
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(labels, decisions[:, 0]))
