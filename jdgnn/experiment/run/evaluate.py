"""What was learned against what took no learning: the probes of a run."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jdgnn.errors import InputError
from jdgnn.evaluation import ProbeResult, beside_own_features, controls, probe_table
from jdgnn.evaluation.task import checked_task
from jdgnn.experiment.config.problems import from_factory
from jdgnn.experiment.config.schema import Config, EvaluationTable
from jdgnn.network import Network, Splits, random_splits
from jdgnn.protocol.roles import HONEST

Results = dict[str, ProbeResult]


def with_splits(network: Network, table: EvaluationTable) -> Network:
    """The network with the splits it came with, or else with random ones as the `evaluation` table says.

    Raises:
      InputError: the network is too small for such splits, or has its own and the table asks for others.
    """
    if network.splits is not None:
        for key in sorted(table.model_fields_set):
            raise InputError(f"evaluation.{key}: has no effect, since {network.name} has splits of its own; remove it")
        return network
    if network.labels is None or not can_be_judged(network):
        return network
    classes, sizes = np.unique(network.labels[network.labels >= 0], return_counts=True)
    _check_rare_classes(network, classes, sizes, table)
    arguments = table.model_dump()
    try:
        every_class = len(classes) == 2  # which the ROC-AUC needs
        splits = random_splits(network.labels, **arguments, every_class=every_class)
        found = dataclasses.replace(network, splits=splits)
    except InputError as error:
        raise from_factory(error, arguments).inside(("evaluation",)).as_input_error() from error
    _check_classes(found, table)
    return found


def _check_rare_classes(network: Network, classes: NDArray[Any], sizes: NDArray[Any], table: EvaluationTable) -> None:
    """Refuses classes with fewer nodes than are to be trained on, by their names."""
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


def can_be_judged(network: Network) -> bool:
    """Whether there are labels to be read off embeddings, of two classes at least."""
    return network.labels is not None and len(np.unique(network.labels[network.labels >= 0])) > 1


def _check_classes(network: Network, table: EvaluationTable) -> None:
    """Refuses random splits with a part that lacks a class it needs."""
    try:
        checked_task(network, None, None)
    except InputError as error:
        what = str(error).partition(";")[0]
        raise InputError(
            f"evaluation.validation: got {table.validation}, and {what}; write more, such as "
            f"evaluation.validation={min(0.9, 4 * table.validation):g}, or another evaluation.seed"
        ) from error


def among_honest(network: Network, role: Any) -> Network:
    """The network with splits among honest nodes alone; `role` is that of a state.

    Raises:
      InputError: too few nodes are honest to be judged on.
    """
    if role is None or network.splits is None:
        return network
    honest = np.asarray(role) == HONEST
    parts = {part: getattr(network.splits, part) & honest for part in ("train", "validation", "test")}
    found = dataclasses.replace(network, splits=Splits(**parts))
    try:
        checked_task(found, None, None)
    except InputError as error:
        what = str(error).partition(";")[0]
        raise InputError(f"attackers: expected enough honest nodes for every split, got too few: {what}") from error
    return found


def with_first_splits(network: Network, count: int) -> Network:
    """The network with its first splits only, at most so many."""
    if network.splits is None:
        return network
    parts = {part: getattr(network.splits, part)[:count] for part in ("train", "validation", "test")}
    return dataclasses.replace(network, splits=Splits(**parts))


def result_of(config: Config, embeddings: NDArray[Any], network: Network) -> NDArray[Any]:
    """What is kept: embeddings [N, W], with what nodes know of themselves beside them if that is asked for."""
    width = config.emulation.own_features
    return beside_own_features(embeddings, network, width) if width else embeddings


def judge(
    network: Network, embeddings: Mapping[str, ArrayLike], own_features: Mapping[str, int] | None = None
) -> Results:
    """Probes embeddings by name; without two classes there is nothing to probe, and the result is empty."""
    if not can_be_judged(network):
        return {}
    return probe_table(embeddings, network, own_features=own_features)


def judge_controls(
    network: Network,
    untrained: NDArray[Any],
    *,
    seed: int,
    own_features: int = 0,
    judge: Callable[..., Results] = judge,
) -> Results:
    """Probes the untrained encoder [N, W], and the features as they are, propagated, and projected.

    As many own features stand beside the untrained encoder as beside what is learned. The projection has W columns.
    `judge` is what probes.

    Returns:
      A result by name; none if the network has no labels.
    """
    others = controls(network, width=untrained.shape[1], seed=seed + 1)  # not the matrix of network.projection
    return judge(network, {"untrained": untrained, **others}, {"untrained": own_features})


def beside_best(found: ProbeResult, controls: Results) -> str:
    """What a probe on the first splits found, and what the best control has on the same ones.

    Args:
      found: of what is learned, on as many splits as it has.
      controls: on all splits, by which the best is chosen; none while nothing is known of them.
    """
    text, num_splits = f"{found.metric} {100 * found.mean:.1f} %", found.num_splits
    if not controls:
        return text
    name, best = max(controls.items(), key=lambda item: item[1].mean)
    text += f", best control {100 * best.values[:num_splits].mean():.1f} % ({name})"
    return text if num_splits == best.num_splits else f"{text}, on {num_splits} of {best.num_splits} splits"


def figures(results: Results) -> dict[str, Any]:
    """The results as plain numbers: by metric, then by name; `values` has one for each split."""
    table: dict[str, Any] = {}
    for name, result in results.items():
        table.setdefault(result.metric, {})[name] = {
            "mean": result.mean,
            "sd": result.sd,
            "width": result.width,
            "num_splits": result.num_splits,
            "num_unconverged": result.num_unconverged,
            "num_at_edge": result.num_at_edge,
            "values": result.values.tolist(),
        }
    return table
