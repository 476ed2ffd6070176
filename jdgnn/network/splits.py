"""Random splits of labelled nodes into train, validation and test."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jdgnn.checks import check_count, check_flag, check_not_consumed
from jdgnn.errors import InputError
from jdgnn.network.by_name import has_names
from jdgnn.network.labels import UNLABELLED
from jdgnn.network.network import Splits

MOST_DRAWS = 1_000
"""Of one split, where it must have every class."""


def random_splits(
    labels: ArrayLike,
    num_splits: int,
    *,
    per_class: int | None = None,
    train: float | int | None = None,
    validation: float | int = 0.1,
    eligible: ArrayLike | None = None,
    every_class: bool = False,
    seed: int = 0,
) -> Splits:
    """Draws random splits; whatever is neither train nor validation is test.

    With `per_class` the training nodes are stratified: exactly that many of each class. With `train` they are drawn
    uniformly from all nodes, as in the 10/10/80 protocol of GRACE (Zhu et al. 2020) and its successors, so that a
    rare class may be missing. Validation nodes are always drawn uniformly from the rest. Split i depends on the seed
    and on i alone, not on how many splits are drawn.

    The ROC-AUC needs both classes in every part. Where few nodes are labelled, `every_class` draws a split again, at
    most a thousand times, until each part has a node of each class.

    Args:
      labels: class of each node, integers [N] from 0; nodes with -1 have none, and stand in no split.
      num_splits: S.
      per_class: training nodes of each class; not together with `train`.
      train: training nodes, a share of the eligible ones (between 0 and 1, as a float) or their number (as an int);
        0.1 where neither `per_class` nor this is given.
      validation: validation nodes, a share or a number, likewise; 0 for none.
      eligible: which nodes may stand in a split, booleans [N]; None for all that have a label.
      every_class: whether each part of a split that has nodes must have one of each class.
      seed: what the draws depend on.

    Returns:
      Masks [S, N].

    Raises:
      InputError: a value is invalid, a class has too few nodes, no node would be left for the test, or no
        split with every class was found.

    Example:
      >>> splits = random_splits([0, 0, 0, 1, 1, 1], 3, per_class=1, validation=2)
      >>> splits.train.sum(axis=1).tolist(), splits.test.sum(axis=1).tolist()
      ([2, 2, 2], [2, 2, 2])
    """
    classes = _checked_labels(labels)
    candidates = _candidates(eligible, classes)
    check_count("num_splits", num_splits)
    check_count("seed", seed, minimum=0)
    check_flag("every_class", every_class)
    if per_class is not None and train is not None:
        raise InputError(f"train: got {train!r} together with per_class={per_class!r}; give one of them")
    if per_class is not None:
        check_count("per_class", per_class)
        _check_class_sizes(classes[candidates], per_class)
        num_train = per_class * len(np.unique(classes[candidates]))
    else:
        num_train = _number("train", 0.1 if train is None else train, len(candidates), minimum=1)
    num_validation = _number("validation", validation, len(candidates), minimum=0)
    if num_train + num_validation >= len(candidates):
        raise InputError(
            f"validation: {num_train} training and {num_validation} validation nodes leave none of {len(candidates)} "
            "for the test; ask for fewer"
        )
    sizes = (num_train, num_validation)
    num_classes = _num_classes(classes[candidates], per_class, sizes) if every_class else None
    masks = np.zeros((3, num_splits, len(classes)), bool)
    for split in range(num_splits):
        parts = _drawn(np.random.default_rng([seed, split]), candidates, classes, per_class, sizes, num_classes)
        for mask, nodes in zip(masks[:, split], parts, strict=True):
            mask[nodes] = True
    return Splits(train=masks[0], validation=masks[1], test=masks[2])


def _drawn(
    generator: np.random.Generator,
    candidates: NDArray[np.int64],
    classes: NDArray[np.integer],
    per_class: int | None,
    sizes: tuple[int, int],
    num_classes: int | None,
) -> list[NDArray[np.int64]]:
    """The nodes of one split: training, validation and test; each of so many classes, unless that is None."""
    for _ in range(MOST_DRAWS):
        order = generator.permutation(candidates)
        if per_class is not None:
            order = _first_of_each_class_first(order, classes, per_class)
        parts = np.split(order, np.cumsum(sizes))
        if num_classes is None or all(len(np.unique(classes[part])) == num_classes for part in parts if len(part)):
            return parts
    raise _lacks_classes(sizes)


def _num_classes(classes: NDArray[np.integer], per_class: int | None, sizes: tuple[int, int]) -> int:
    """How many classes each part must have; what no draw can give is rejected at once."""
    counts = np.unique(classes, return_counts=True)[1]
    parts = [size for size in (*sizes, len(classes) - sum(sizes)) if size]
    if min(parts) < len(counts) or counts.min() < (per_class or 1) + len(parts) - 1:
        raise _lacks_classes(sizes)
    return len(counts)


def _lacks_classes(sizes: tuple[int, int]) -> InputError:
    return InputError(
        f"validation: no split with {sizes[0]} training and {sizes[1]} validation nodes was found that has every class "
        "in training, validation and test; ask for more validation nodes, fewer training nodes, or label more"
    )


def _first_of_each_class_first(
    order: NDArray[np.int64], classes: NDArray[np.integer], per_class: int
) -> NDArray[np.int64]:
    """Moves the first `per_class` nodes of each class to the front, both parts in the given order."""
    of_class = classes[order]
    is_first = np.zeros(len(order), bool)
    for label in np.unique(of_class):
        is_first[np.flatnonzero(of_class == label)[:per_class]] = True
    return np.concatenate([order[is_first], order[~is_first]])


def _checked_labels(labels: ArrayLike) -> NDArray[np.integer]:
    check_not_consumed("labels", labels)
    if has_names(labels):
        raise InputError(
            "labels: expected them in the order of the nodes, as network.labels, got a series with an index of names; "
            "write .to_numpy() if it has that order"
        )
    classes = np.asarray(labels)
    if classes.ndim != 1 or not classes.size or not np.issubdtype(classes.dtype, np.integer) or classes.min() < -1:
        raise InputError(f"labels: expected integers from 0, one per node, got {classes.dtype} {classes.shape}")
    return classes


def _candidates(eligible: ArrayLike | None, classes: NDArray[np.integer]) -> NDArray[np.int64]:
    """Numbers of the nodes that may stand in a split: they have a label."""
    is_labelled = classes != UNLABELLED
    if eligible is None:
        return np.flatnonzero(is_labelled)
    check_not_consumed("eligible", eligible)
    if has_names(eligible):
        raise InputError("eligible: expected booleans in the order of the labels, got a series with an index of names")
    mask = np.asarray(eligible)
    if mask.dtype != bool or mask.shape != classes.shape:
        raise InputError(f"eligible: expected booleans [{len(classes)}], got {mask.dtype} {mask.shape}")
    return np.flatnonzero(mask & is_labelled)


def _check_class_sizes(classes: NDArray[np.integer], per_class: int) -> None:
    labels, sizes = np.unique(classes, return_counts=True)
    rarest = sizes.argmin()
    if sizes[rarest] < per_class:
        raise InputError(
            f"per_class: got {per_class}, and class {labels[rarest]} has just {sizes[rarest]} nodes; write at most "
            "that many, or give rare classes one label"
        )


def _number(name: str, value: float | int, num_candidates: int, *, minimum: int) -> int:
    """Turns a share (float) or a number (int) of the candidates into a number."""
    is_share = isinstance(value, float | np.floating)
    if not is_share:
        check_count(name, value, minimum=minimum)
        return int(value)
    if not 0 <= value < 1 or round(value * num_candidates) < minimum:
        raise InputError(
            f"{name}: expected a share below 1 that makes at least {minimum} of "
            f"them, or a whole number of nodes, got {value!r} of {num_candidates} nodes"
        )
    return round(value * num_candidates)
