"""Checks of what is given to make a network; each raises InputError with one sentence that names the argument."""

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jdgnn.checks import check_not_consumed
from jdgnn.errors import InputError
from jdgnn.network.labels import BOTH_WAYS_OUT, UNLABELLED
from jdgnn.network.problems import listed


def check_name(name: str, value: Any) -> None:
    """Raises InputError unless `value` is a string."""
    if not isinstance(value, str):
        raise InputError(f"{name}: expected a string, got {type(value).__name__}")


def checked_class_names(name: str, class_names: Any) -> tuple[str, ...]:
    """Gives the names of the classes as a tuple; InputError unless they are a tuple or list of strings."""
    if not isinstance(class_names, tuple | list) or not all(isinstance(item, str) for item in class_names):
        raise InputError(f"{name}: expected one string per class, as in ('cat', 'dog'), got {class_names!r}")
    return tuple(class_names)


def checked_node_names(name: str, node_names: Any, num_nodes: int | None = None) -> tuple[str, ...]:
    """Gives the names of the nodes as a tuple; InputError unless they are N different strings, or none."""
    if not isinstance(node_names, tuple | list) or not all(isinstance(item, str) for item in node_names):
        raise InputError(f"{name}: expected a tuple of one string per node, got {type(node_names).__name__}")
    if node_names and num_nodes is not None and len(node_names) != num_nodes:
        raise InputError(f"{name}: expected one for each of {num_nodes} nodes, or None, got {len(node_names)}")
    if blank := [repr(item) for item in node_names if not item or item != item.strip()]:
        raise InputError(f"{name}: expected names without blanks around them, got {listed(blank)}")
    if len(set(node_names)) < len(node_names):
        twice = [repr(item) for item, count in Counter(node_names).items() if count > 1]
        raise InputError(f"{name}: expected a name of its own for every node, got more than once: {listed(twice)}")
    return tuple(node_names)


def as_array(name: str, given: Any) -> NDArray[Any]:
    """Gives a NumPy array of numbers; InputError for None, sparse matrices, ragged lists and mixed entries."""
    check_not_consumed(name, given)
    if given is None:
        raise InputError(f"{name}: expected an array, got None")
    if hasattr(given, "toarray"):
        raise InputError(f"{name}: expected a dense array, got a sparse {type(given).__name__}; write its toarray()")
    try:
        array = np.asarray(given)
    except (ValueError, TypeError, RuntimeError) as error:
        raise InputError(f"{name}: not a rectangular array ({error})") from error
    if array.dtype == object:
        raise InputError(
            f"{name}: expected a rectangular array of numbers, got {type(given).__name__} of mixed entries"
        )
    return array


def as_column(column: NDArray[Any]) -> NDArray[Any]:
    """[N, 1] as [N], as other libraries have labels and weights; anything else as it is.

    >>> as_column(np.zeros((3, 1))).shape
    (3,)
    """
    return column[:, 0] if column.ndim == 2 and column.shape[1] == 1 else column


def checked_features(features: ArrayLike) -> NDArray[np.floating]:
    """Gives features [N, F0], float32 where that holds all numbers of their type, else float64, which is narrowed last.

    Raises:
      InputError: they are no finite numbers.
    """
    given = as_array("features", features)
    if given.ndim != 2 or 0 in given.shape:
        raise InputError(
            f"features: expected [nodes, features] with at least one of each, got shape {given.shape}"
            " (for nodes that measure nothing, write their degrees or a one-hot identity)"
        )
    if not (np.issubdtype(given.dtype, np.number) or given.dtype == bool) or np.iscomplexobj(given):
        raise InputError(f"features: expected real numbers, got dtype {given.dtype}")
    is_small = given.dtype in (np.float32, np.float16, bool)  # float32 holds these exactly, and whole numbers not
    result: NDArray[np.floating] = given.astype(np.float32 if is_small else np.float64)
    bad = np.argwhere(~np.isfinite(result))
    if len(bad):
        node, column = (int(i) for i in bad[0])
        raise InputError(
            f"features: {len(bad)} entries are not finite, the first is {result[node, column]} at node {node}, "
            f"column {column}; replace them before making the network"
        )
    return result


def checked_ends(
    senders: ArrayLike, receivers: ArrayLike, num_nodes: int
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Gives senders and receivers [E] as int32; InputError unless they are numbers of nodes, as many of each."""
    ends = []
    for name, given in (("senders", senders), ("receivers", receivers)):
        nodes = as_array(name, given)
        if nodes.ndim != 1:
            raise InputError(f"{name}: expected one node number per edge, [edges], got shape {nodes.shape}")
        if nodes.size and not np.issubdtype(nodes.dtype, np.integer):
            raise InputError(f"{name}: expected whole node numbers from 0, got dtype {nodes.dtype}")
        bad = np.flatnonzero((nodes < 0) | (nodes >= num_nodes)) if nodes.size else nodes
        if len(bad):
            raise InputError(
                f"{name}: edge {bad[0]} names node {nodes[bad[0]]}, and features describe nodes 0 to {num_nodes - 1}"
            )
        ends.append(nodes.astype(np.int32))
    if len(ends[0]) != len(ends[1]):
        raise InputError(f"receivers: expected one for each of {len(ends[0])} senders, got {len(ends[1])}")
    return ends[0], ends[1]


def checked_quality(
    link_quality: ArrayLike | None, num_edges: int, *, both_ways: bool = False
) -> NDArray[np.float32] | None:
    """Gives link quality [E], or with `both_ways` also [E, 2], as float32; InputError unless each is a probability."""
    if link_quality is None:
        return None
    quality = as_array("link_quality", link_quality)
    if quality.shape != (num_edges,) and not (both_ways and quality.shape == (num_edges, 2)):
        raise InputError(f"link_quality: expected one number per edge, [{num_edges}], got shape {quality.shape}")
    if quality.size and not (np.issubdtype(quality.dtype, np.floating) or np.issubdtype(quality.dtype, np.integer)):
        raise InputError(f"link_quality: expected real numbers from 0 to 1, got dtype {quality.dtype}")
    bad = np.argwhere(~((quality >= 0) & (quality <= 1)))
    if len(bad):
        raise InputError(
            f"link_quality: expected probabilities from 0 to 1, got {quality[tuple(bad[0])]} at edge {bad[0][0]}"
        )
    return quality.astype(np.float32)


def checked_labels(labels: ArrayLike | None, num_nodes: int, class_names: tuple[str, ...]) -> NDArray[np.int32] | None:
    """Gives labels [N] as int32, -1 for nodes without one; InputError unless all others are classes that have a name.

    Of floats, NaN means that there is none.
    """
    if labels is None:
        return None
    given = as_array("labels", labels)
    if given.shape != (num_nodes,):
        raise InputError(f"labels: expected one class per node, [{num_nodes}], got shape {given.shape}")
    if given.dtype.kind == "f" and (np.isnan(given) | (given == np.floor(given))).all() and not np.isinf(given).any():
        given = np.where(np.isnan(given), UNLABELLED, given).astype(np.int64)
    if not np.issubdtype(given.dtype, np.integer):
        raise InputError(f"labels: expected whole numbers from 0, got dtype {given.dtype}")
    if given.max() > np.iinfo(np.int32).max:
        node = int(given.argmax())
        raise InputError(f"labels: expected classes numbered from 0, below 2**31, got {given[node]} at node {node}")
    if given.min() < UNLABELLED:
        node = int(given.argmin())
        raise InputError(f"labels: expected whole numbers from 0, or -1 for no label, got {given[node]} at node {node}")
    if class_names and given.max() >= len(class_names):
        raise InputError(
            f"class_names: got {len(class_names)} names, and labels go up to {given.max()}; name every class"
        )
    return given.astype(np.int32)


def check_unlabelled(labels: Any, class_names: tuple[str, ...]) -> None:
    """Raises InputError where -1 may be a class: no label is 0, and classes have no names."""
    given = np.asarray(labels)
    if given.dtype.kind in "if" and (given == UNLABELLED).any() and not (given == 0).any() and not class_names:
        node = int((given == UNLABELLED).argmax())
        raise InputError(f"labels: got -1 at node {node}, and no label is 0; {BOTH_WAYS_OUT}")


def checked_texts(name: str, texts: Any, count: int | None = None) -> tuple[str, ...]:
    """Gives texts as a tuple; InputError unless they are strings, as many as `count` says or none."""
    if not isinstance(texts, tuple | list) or not all(isinstance(item, str) for item in texts):
        raise InputError(f"{name}: expected a tuple of strings, got {texts!r}")
    if count is not None and texts and len(texts) != count:
        raise InputError(f"{name}: expected {count} of them, or none, got {len(texts)}")
    return tuple(texts)
