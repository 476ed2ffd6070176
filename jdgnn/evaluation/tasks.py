"""All evaluation tasks by name, and the evaluation of several embeddings by several tasks."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from jdgnn.errors import InputError, suggestion
from jdgnn.evaluation.clustering import clustering
from jdgnn.evaluation.labelled import eligible
from jdgnn.evaluation.link_prediction import HeldOutLinks, link_prediction
from jdgnn.evaluation.neighbours import knn_probe
from jdgnn.evaluation.probe import ProbeResult, few_label_probe, linear_probe
from jdgnn.evaluation.task import Score, Seen, Task, needs_classes
from jdgnn.evaluation.vectors import checked_embeddings
from jdgnn.network.network import Network

STARTS = 5
"""Of k-means, from different seeds."""

FEW = 1
"""Training nodes of each class where labels are few."""

FEW_SPLITS = 10
"""Random choices of them."""

Scores = dict[str, dict[str, dict[str, Score]]]
"""By task, metric and name of an embedding."""


def _linear_probe(seen: Seen) -> dict[str, Score]:
    return _probed(linear_probe(seen.embeddings, seen.first_splits, own_features=seen.own_features))


def _knn(seen: Seen) -> dict[str, Score]:
    return _probed(knn_probe(seen.embeddings, seen.first_splits))


def _few_labels(seen: Seen) -> dict[str, Score]:
    count = seen.repeats(FEW_SPLITS)
    own = seen.own_features
    found = few_label_probe(seen.embeddings, seen.network, per_class=FEW, num_splits=count, own_features=own)
    # with so few validation nodes the best C is often at the edge of its grid, which then says nothing
    return {metric: score._replace(num_at_edge=0) for metric, score in _probed(found).items()}


def _probed(found: ProbeResult) -> dict[str, Score]:
    return {found.metric: Score(found.values, found.width, found.num_unconverged, found.num_at_edge)}


def _clustering(seen: Seen) -> dict[str, Score]:
    count = seen.repeats(STARTS)
    found = [clustering(seen.embeddings, seen.network, seed=seed, num_starts=1) for seed in range(count)]
    width = seen.embeddings.shape[1]
    return {name: Score(np.array([getattr(one, name) for one in found]), width) for name in ("nmi", "ari")}


def _link_prediction(seen: Seen) -> dict[str, Score]:
    assert seen.held_out is not None
    found = link_prediction(seen.embeddings, seen.held_out)
    width = seen.embeddings.shape[1]
    return {name: Score(np.array([getattr(found, name)]), width) for name in ("auc", "average_precision")}


def _needs_splits(network: Network, held_out: HeldOutLinks | None) -> str | None:
    return needs_classes(network) or ("the network has no splits" if network.splits is None else None)


def _needs_few_of_each(network: Network, held_out: HeldOutLinks | None) -> str | None:
    if (reason := needs_classes(network)) is not None:
        return reason
    assert network.labels is not None
    candidates = network.labels >= 0 if network.splits is None else eligible(network.splits)
    counts = np.unique(network.labels[candidates], return_counts=True)[1]
    too_few = counts.sum() <= 2 * FEW * len(counts) or (len(counts) == 2 and counts.min() < 3 * FEW)
    return "the network has too few labelled nodes" if too_few else None


def _needs_held_out(network: Network, held_out: HeldOutLinks | None) -> str | None:
    return "no links were held out before training" if held_out is None else None


TASKS: dict[str, Task] = {
    "linear_probe": Task("linear probe", _linear_probe, _needs_splits),
    "clustering": Task("clustering (k-means)", _clustering, needs_classes, "starts"),
    "knn": Task("k nearest neighbours", _knn, _needs_splits),
    "few_labels": Task(f"few labels ({FEW} per class)", _few_labels, _needs_few_of_each),
    "link_prediction": Task("link prediction", _link_prediction, _needs_held_out, "sets of links"),
}
"""Evaluation tasks by name, as `evaluation.tasks` of a configuration names them."""

DEFAULT_TASKS = ("linear_probe", "clustering", "knn", "few_labels")
"""The tasks of a run that names none; none of them changes what nodes learn from."""

HELD_OUT_FOR = "link_prediction"
"""The task for which links are held out before training."""


def evaluate(
    embeddings: Mapping[str, ArrayLike],
    network: Network,
    tasks: Sequence[str] = DEFAULT_TASKS,
    *,
    held_out: HeldOutLinks | None = None,
    own_features: Mapping[str, int] | None = None,
    most: int | None = None,
) -> Scores:
    """Evaluates several embeddings of one network by several tasks, all alike.

    Args:
      embeddings: one vector per node [N, W], by name; widths may differ.
      network: with labels and splits, as far as tasks need them.
      tasks: names of `TASKS`.
      held_out: links held out before training, from `hold_out_links`, for `link_prediction`.
      own_features: for names with own features next to them, how many columns at most; see `linear_probe`.
      most: at most so many repeats of each task, the first ones; None for all.

    Returns:
      A `Score` for each task, metric and name, in the order given.

    Raises:
      InputError: a task is unknown or cannot be done on this network, or embeddings do not fit it.

    Example:
      >>> import dataclasses
      >>> from jdgnn.evaluation import baselines
      >>> from jdgnn.network import random_splits, stochastic_block_model
      >>> network = stochastic_block_model(seed=1)
      >>> splits = random_splits(network.labels, 3, per_class=5)
      >>> network = dataclasses.replace(network, splits=splits)
      >>> scores = evaluate(baselines(network, width=8), network, ["clustering", "knn"])
      >>> list(scores), list(scores["clustering"]), list(scores["knn"]["accuracy"])[:2]
      (['clustering', 'knn'], ['nmi', 'ari'], ['raw', 'propagated_1hop'])
    """
    for name in tasks:
        if name not in TASKS:
            raise InputError(f"tasks: got {name!r}; {suggestion(str(name), list(TASKS))}")
        if (reason := TASKS[name].why_not(network, held_out)) is not None:
            raise InputError(f"tasks: {name} cannot be evaluated: {reason}")
    own = own_features or {}
    seen = {
        name: Seen(
            embeddings=checked_embeddings(f"embeddings[{name!r}]", vectors, network.num_nodes),
            network=network,
            held_out=held_out,
            own_features=own.get(name, 0),
            most=most,
        )
        for name, vectors in embeddings.items()
    }
    scores: Scores = {}
    for task in tasks:
        scores[task] = {}
        for name, one in seen.items():
            for metric, score in TASKS[task].evaluate(one).items():
                scores[task].setdefault(metric, {})[name] = score
    return scores
