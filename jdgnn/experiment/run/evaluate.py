"""The evaluation of a run: its splits, held-out links and tasks, and embeddings next to their baselines."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import jax
import numpy as np
from numpy.typing import ArrayLike, NDArray

from jdgnn.errors import InputError
from jdgnn.evaluation import (
    TASKS,
    HeldOutLinks,
    baselines,
    beside_own_features,
    evaluate,
    hold_out_links,
)
from jdgnn.evaluation.labelled import checked_labels
from jdgnn.evaluation.task import METRIC_NAMES, needs_classes
from jdgnn.evaluation.tasks import HELD_OUT_FOR, Scores
from jdgnn.experiment.config.problems import from_factory
from jdgnn.experiment.config.schema import Config, EvaluationTable
from jdgnn.network import Network, random_splits
from jdgnn.protocol.roles import HONEST

HELD_OUT_SHARE = 0.1
"""Of the links, where a run is evaluated by link prediction."""


class Evaluation(NamedTuple):
    """By what the embeddings of a run are evaluated.

    Attributes:
      network: with the labels and splits of honest nodes alone.
      tasks: names of those that can be done.
      left_out: why others cannot, by name.
      held_out: links that no node learned from; None for none.
      own_features: columns of own features next to what was learned, and next to the untrained encoder.
      share: as `jdgnn.evaluation.evaluate`, of baselines, which runs of a sweep have in common.
    """

    network: Network
    tasks: tuple[str, ...]
    left_out: dict[str, str]
    held_out: HeldOutLinks | None
    own_features: int
    share: Callable[..., Scores] = evaluate

    def learned(self, embeddings: ArrayLike, most: int | None = None) -> Scores:
        """Evaluates what was learned [N, W], by at most so many repeats of each task."""
        return self._scores(evaluate, {"learned": embeddings}, most)

    def baselines(self, untrained: NDArray[Any], seed: int) -> Scores:
        """Evaluates the untrained encoder [N, W], and features: as they are, propagated, and projected to W columns."""
        if not self.tasks:
            return {}
        others = baselines(self.network, width=untrained.shape[1], seed=seed + 1)  # not that of network.projection
        return self._scores(self.share, {"untrained": untrained, **others}, None)

    def _scores(self, score: Callable[..., Scores], embeddings: Mapping[str, ArrayLike], most: int | None) -> Scores:
        own = {name: self.own_features for name in ("learned", "untrained") if name in embeddings}
        return score(embeddings, self.network, self.tasks, held_out=self.held_out, own_features=own, most=most)


def prepared_evaluation(
    config: Config,
    network: Network,
    held_out: HeldOutLinks | None,
    role: Any,
    share: Callable[..., Scores] = evaluate,
) -> Evaluation:
    """Finds which tasks can be done; `role` is that of a state, and `share` evaluates baselines.

    Raises:
      InputError: too few nodes are honest to be evaluated.
    """
    if role is not None:
        network, held_out = among_honest(network, held_out, np.asarray(role) == HONEST)
    reasons = {name: TASKS[name].why_not(network, held_out) for name in config.evaluation.tasks}
    return Evaluation(
        network,
        tuple(name for name, reason in reasons.items() if reason is None),
        {name: reason for name, reason in reasons.items() if reason is not None},
        held_out,
        config.emulation.own_features,
        share,
    )


def evaluation_notes(evaluation: Evaluation) -> Iterator[str]:
    """What a user should know of the evaluation before the run."""
    if evaluation.held_out is not None:
        count = len(evaluation.held_out.linked)
        yield f"{count:,} links are held out for {TASKS[HELD_OUT_FOR].title}: nodes learn from the others alone"
    if evaluation.tasks:
        yield from (f"{name} is not evaluated: {reason}" for name, reason in evaluation.left_out.items())


def among_honest(
    network: Network, held_out: HeldOutLinks | None, honest: NDArray[np.bool_]
) -> tuple[Network, HeldOutLinks | None]:
    """Labels, splits and held-out links of honest nodes alone."""
    labels = None if network.labels is None else np.where(honest, network.labels, -1).astype(np.int32)
    if held_out is not None:
        linked, unlinked = (pairs[honest[pairs].all(axis=1)] for pairs in (held_out.linked, held_out.unlinked))
        if not len(linked) or not len(unlinked):
            raise InputError("attackers: expected held-out links between honest nodes, got none; write fewer attackers")
        held_out = dataclasses.replace(held_out, linked=linked, unlinked=unlinked)
    if network.splits is None:
        return dataclasses.replace(network, labels=labels), held_out
    splits = jax.tree.map(lambda mask: mask & honest, network.splits)
    found = dataclasses.replace(network, labels=labels, splits=splits)
    try:
        checked_labels(found, None, None)
    except InputError as error:
        what = str(error).partition(";")[0]
        raise InputError(f"attackers: expected enough honest nodes for every split, got too few: {what}") from error
    return found, held_out


def with_held_out(network: Network, table: EvaluationTable) -> tuple[Network, HeldOutLinks | None]:
    """The network without the links that are held out, if a task needs them.

    Raises:
      InputError: it has too few links, or too few pairs of nodes without one.
    """
    if HELD_OUT_FOR not in table.tasks:
        return network, None
    try:
        held_out = hold_out_links(network, HELD_OUT_SHARE, seed=table.seed)
    except InputError as error:
        raise InputError(f"evaluation.tasks: {HELD_OUT_FOR} cannot be evaluated on {network.name}: {error}") from error
    return held_out.network, held_out


def with_splits(network: Network, table: EvaluationTable) -> Network:
    """The network with the splits it came with, or else with random ones as the `evaluation` table says.

    Raises:
      InputError: the network is too small for such splits, or has its own and the table asks for others.
    """
    if network.splits is not None:
        for key in sorted(table.model_fields_set - {"tasks"}):
            raise InputError(f"evaluation.{key}: has no effect, since {network.name} has splits of its own; remove it")
        return network
    if network.labels is None or needs_classes(network) is not None:
        return network
    classes, sizes = np.unique(network.labels[network.labels >= 0], return_counts=True)
    _check_rare_classes(network, classes, sizes, table)
    arguments = table.model_dump(exclude={"tasks"})
    try:
        every_class = len(classes) == 2  # which the ROC-AUC needs
        splits = random_splits(network.labels, **arguments, every_class=every_class)
        found = dataclasses.replace(network, splits=splits)
    except InputError as error:
        raise from_factory(error, arguments).inside(("evaluation",)).as_input_error() from error
    _check_classes(found, table)
    return found


def _check_rare_classes(network: Network, classes: NDArray[Any], sizes: NDArray[Any], table: EvaluationTable) -> None:
    """Rejects classes with fewer nodes than are to be trained on, by their names."""
    rare = [
        f"{network.class_names[label] if network.class_names else label} ({size})"
        for label, size in zip(classes.tolist(), sizes.tolist(), strict=True)
        if size < table.per_class
    ]
    if rare:
        more = ", ..." if len(rare) > 8 else ""
        raise InputError(
            f"evaluation.per_class: got {table.per_class}, and these classes have fewer nodes: "
            f"{', '.join(rare[:8])}{more}; write evaluation.per_class={sizes.min()}, or give rare classes one label"
        )


def _check_classes(network: Network, table: EvaluationTable) -> None:
    """Rejects random splits with a part that lacks a class it needs."""
    try:
        checked_labels(network, None, None)
    except InputError as error:
        what = str(error).partition(";")[0]
        raise InputError(
            f"evaluation.validation: got {table.validation}, and {what}; write more, such as "
            f"evaluation.validation={min(0.9, 4 * table.validation):g}, or another evaluation.seed"
        ) from error


def result_of(config: Config, embeddings: NDArray[Any], network: Network) -> NDArray[Any]:
    """What is kept: embeddings [N, W], with own features next to them if that is asked for."""
    width = config.emulation.own_features
    return beside_own_features(embeddings, network, width) if width else embeddings


def next_to_best(scores: Scores, of_baselines: Scores) -> str:
    """What the first task found by its first metric, next to the best baseline by the same repeats."""
    if not scores:
        return ""
    task, metrics = next(iter(scores.items()))
    metric, found = next(iter(metrics.items()))
    learned = found["learned"]
    text = f"{METRIC_NAMES.get(metric, metric)} {100 * learned.mean:.1f} %"
    others = of_baselines.get(task, {}).get(metric, {})
    if not others:
        return text
    name, best = max(others.items(), key=lambda item: item[1].mean)
    count = len(learned.values)
    text += f", best baseline {100 * best.values[:count].mean():.1f} % ({name})"
    return text if count == len(best.values) else f"{text}, first {count} of {len(best.values)} {TASKS[task].repeats}"


def together(first: Scores, second: Scores) -> Scores:
    """Scores of the same tasks of more embeddings."""
    return {
        task: {metric: {**named, **second.get(task, {}).get(metric, {})} for metric, named in metrics.items()}
        for task, metrics in first.items()
    }


def numbers_of(scores: Scores) -> dict[str, Any]:
    """Scores as plain numbers, by task, metric and name; `values` has one for each repeat."""
    return {
        task: {
            metric: {
                name: {"mean": score.mean, "sd": score.sd, **score._asdict(), "values": score.values.tolist()}
                for name, score in named.items()
            }
            for metric, named in metrics.items()
        }
        for task, metrics in scores.items()
    }


def values_of(scores: Scores) -> dict[str, dict[str, dict[str, list[float]]]]:
    """The values of scores, one for each repeat."""
    return {
        task: {metric: {name: one.values.tolist() for name, one in named.items()} for metric, named in metrics.items()}
        for task, metrics in scores.items()
    }
