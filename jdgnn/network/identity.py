"""Which network this is, in twelve words: what a state keeps to be told from the states of other networks."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

SHAPE = (3, 4)
COUNTS = ("nodes", "directed edges", "features of a node")


def identity(
    num_nodes: int,
    num_features: int,
    senders: NDArray[np.int32],
    receivers: NDArray[np.int32],
    node_names: Sequence[str] = (),
) -> NDArray[np.uint32]:
    """Tells one network from others: by its links, the names of its nodes and the shape of its features.

    Labels, splits, the quality of links and what nodes measure are no part of it. A million nodes with ten million
    edges take a fifth of a second, and as long again if they have names.

    Args:
      num_nodes: N.
      num_features: F0.
      senders: who sends over each edge [E], in the order of `Network`.
      receivers: who receives over it [E].
      node_names: what each node is called [N]; or none.

    Returns:
      Words [3, 4] uint32: N, E, F0 and 0; the BLAKE2 digest of the links; that of the names, 0 where there are none.

    Example:
      >>> import numpy as np
      >>> identity(2, 5, np.array([0], np.int32), np.array([1], np.int32))[0].tolist()
      [2, 1, 5, 0]
    """
    links = _words(senders.astype("<i4", copy=False), receivers.astype("<i4", copy=False))
    names = _words(json.dumps(list(node_names)).encode()) if node_names else np.zeros(SHAPE[1], np.uint32)
    return np.stack([np.array([num_nodes, len(senders), num_features, 0], np.uint32), links, names])


def _words(*parts: Any) -> NDArray[np.uint32]:
    hashed = hashlib.blake2b(digest_size=4 * SHAPE[1])
    for part in parts:
        hashed.update(part)
    return np.frombuffer(hashed.digest(), "<u4").astype(np.uint32)


def differences(known: NDArray[np.uint32], given: NDArray[np.uint32]) -> str:
    """How a given network differs from a known one, in words; empty if it does not.

    Numbers of features and names are compared where both are known, which they are not where they are 0.

    Example:
      >>> import numpy as np
      >>> from jdgnn.network.generators import ring
      >>> differences(ring(6).identity, ring(7).identity)
      '7 nodes instead of 6, 14 directed edges instead of 12'
    """
    counts = [(what, int(a), int(b)) for what, a, b in zip(COUNTS, known[0], given[0], strict=False) if a != b]
    told = [f"{b:,} {what} instead of {a:,}" for what, a, b in counts if what != COUNTS[2] or (a and b)]
    if (known[0, :2] == given[0, :2]).all() and (known[1] != given[1]).any():
        told.append("other links")
    if known[0, 0] == given[0, 0] and known[2].any() and given[2].any() and (known[2] != given[2]).any():
        told.append("nodes of other names")
    return ", ".join(told)
