"""Whether a network that was put together by hand, or changed, is still one that `from_edges` could have made."""

from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from jdgnn.errors import InputError
from jdgnn.network.arguments import (
    check_name,
    checked_class_names,
    checked_features,
    checked_labels,
    checked_node_names,
    checked_quality,
    checked_texts,
)
from jdgnn.network.network import Network, check_stand_in_splits, checked_splits


def check_network(network: Network) -> None:
    """Checks the fields of a network against each other, in time proportional to its size.

    Args:
      network: the network, which is left as it is.

    Raises:
      InputError: an array has another type or shape than `Network` says, a node number is out of range, edges are not
        in order, link a node to itself or stand twice, or a value is invalid.

    Example:
      >>> import numpy as np
      >>> from jdgnn.network import from_edges
      >>> check_network(from_edges([0, 1], [1, 0], np.eye(2)))
    """
    _check_array("features", network.features, (np.float32, np.float64), 2)
    _check_array("senders", network.senders, (np.int32,), 1)
    _check_array("receivers", network.receivers, (np.int32,), 1)
    if network.labels is not None:
        _check_array("labels", network.labels, (np.int32,), 1)
    if network.link_quality is not None:
        _check_array("link_quality", network.link_quality, (np.float32,), 1)
    if not network.features.size:
        _reject("features", f"expected at least one node and one feature, got shape {network.features.shape}")
    _check_edges(network.senders, network.receivers, network.num_nodes)
    try:
        check_name("name", network.name)
        class_names = checked_class_names("class_names", network.class_names)
        checked_features(network.features)
        checked_node_names("node_names", network.node_names, network.num_nodes)
        checked_labels(network.labels, network.num_nodes, class_names)
        checked_quality(network.link_quality, network.num_edges)
        check_stand_in_splits(checked_splits(network.splits, network.num_nodes), network.labels)
        checked_texts("feature_names", network.feature_names, network.num_features)
        checked_texts("notes", network.notes)
    except InputError as error:
        raise InputError(f"network.{error}; make the network with from_edges") from error


def _check_array(field: str, given: Any, dtypes: tuple[type, ...], num_axes: int) -> None:
    wanted = f"a NumPy array of {' or '.join(dtype.__name__ for dtype in dtypes)} with {num_axes} axes"
    if not isinstance(given, np.ndarray):
        _reject(field, f"expected {wanted}, got {type(given).__name__}")
    if given.dtype not in dtypes or given.ndim != num_axes:
        _reject(field, f"expected {wanted}, got {given.dtype} {given.shape}")


def _check_edges(senders: NDArray[np.int32], receivers: NDArray[np.int32], num_nodes: int) -> None:
    if len(senders) != len(receivers):
        _reject("receivers", f"expected one for each of {len(senders)} senders, got {len(receivers)}")
    for field, nodes in (("senders", senders), ("receivers", receivers)):
        if len(nodes) and (nodes.min() < 0 or nodes.max() >= num_nodes):
            _reject(field, f"names nodes {nodes.min()} to {nodes.max()}, and features describe 0 to {num_nodes - 1}")
    if (senders == receivers).any():
        _reject("senders", f"node {senders[senders == receivers][0]} is linked to itself")
    if (receivers[1:] < receivers[:-1]).any():
        _reject("receivers", "must be ascending, and is not")
    if ((receivers[1:] == receivers[:-1]) & (senders[1:] <= senders[:-1])).any():
        _reject("senders", "must be ascending, without repetition, among the edges of each receiver, and is not")


def _reject(field: str, reason: str) -> NoReturn:
    raise InputError(f"network.{field}: {reason}; make the network with from_edges")
