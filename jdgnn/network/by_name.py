"""What is given of each node by its name (data frames, series, mappings), brought into the order of the nodes."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jdgnn.errors import InputError
from jdgnn.network.identifiers import Identifiers, named
from jdgnn.network.labels import is_missing

PARTS = ("train", "validation", "test")


def has_names(given: Any) -> bool:
    """Whether the index of a data frame or series names nodes: it is another than 0, 1, ..., which pandas makes.

    >>> has_names(np.eye(3))
    False
    """
    index = getattr(given, "index", None)
    if index is None or not hasattr(given, "iloc"):
        return False
    return not (type(index).__name__ == "RangeIndex" and index.start == 0 and index.step == 1)


def num_rows(given: Any) -> int:
    """Rows of a data frame, series or array; 0 if it is none."""
    shape = np.shape(given) if hasattr(given, "shape") else ()
    return shape[0] if shape else 0


def in_order(argument: str, given: Any, nodes: Identifiers) -> Any:
    """Features or labels in the order of the nodes.

    Args:
      argument: what they were given as, for messages.
      given: a data frame or series whose index names the nodes; anything else has its rows in their order already.
      nodes: what they are called.

    Returns:
      The same rows in their order.

    Raises:
      InputError: the index has names that no node has, lacks some, or has some twice; the message lists them.

    Example:
      >>> import pandas
      >>> in_order("labels", pandas.Series({"bob": 1, "ann": 0}), Identifiers(("ann", "bob"), 2)).tolist()
      [0, 1]
    """
    if not has_names(given):
        return given
    try:
        return given.iloc[nodes.order(f"{argument}: its index", given.index)]
    except InputError as error:
        raise InputError(
            f"{error}; write .to_numpy() if its rows are in the order of the nodes, or give node_names"
        ) from error


def column_names(given: Any) -> tuple[str, ...]:
    """Names of the columns of a data frame; none for an array.

    >>> column_names(np.eye(3))
    ()
    """
    return tuple(map(str, given.columns)) if hasattr(given, "columns") else ()


def split_masks(given: Any, nodes: Identifiers) -> dict[str, NDArray[np.bool_]]:
    """Splits that are given by names, as masks.

    Args:
      given: a series whose index names nodes and whose values are train, validation, test or nothing; a data frame
        with such a column for each split; a mapping from names to them; or a mapping from train, validation and test to
        the names of their nodes. Nodes that are not named stand in no split.
      nodes: what the nodes are called.

    Returns:
      The masks [S, N] `train`, `validation` and `test`.

    Raises:
      InputError: names are unknown or stand there twice, or a value is something else.

    Example:
      >>> masks = split_masks({"bob": "train", "cy": "test"}, Identifiers(("ann", "bob", "cy"), 3))
      >>> masks["train"].tolist(), masks["test"].tolist()
      ([[False, True, False]], [[False, False, True]])
    """
    if isinstance(given, Mapping) and set(given) <= set(PARTS):
        lists = {part: [names] if isinstance(names, str) else names for part, names in given.items()}
        pairs = [[(name, part) for part, names in lists.items() for name in names]]
    elif hasattr(given, "columns"):
        pairs = [list(given.iloc[:, column].items()) for column in range(given.shape[1])]
    else:
        pairs = [list(given.items())]
    masks = {part: np.zeros((len(pairs), nodes.num_nodes), bool) for part in PARTS}
    for split, of_split in enumerate(pairs):
        rows = nodes.rows("splits", [name for name, _ in of_split])
        values = [value for _, value in of_split]
        _check_split(rows, values, nodes)
        for row, value in zip(rows, values, strict=True):
            if not is_missing(value):
                masks[value][split, row] = True
    return masks


def _check_split(rows: NDArray[np.int64], values: list[Any], nodes: Identifiers) -> None:
    bad = [value for value in values if not is_missing(value) and value not in PARTS]
    if bad:
        raise InputError(f"splits: expected {', '.join(PARTS)}, or nothing, got {named(bad)}")
    twice = np.flatnonzero(np.bincount(rows, minlength=nodes.num_nodes) > 1)
    if len(twice):
        raise InputError(f"splits: expected each node once, got more of {named(nodes.name(row) for row in twice)}")
