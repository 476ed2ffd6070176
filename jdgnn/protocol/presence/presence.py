"""The type of models of the presence of nodes."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax

from jdgnn.network.identifiers import Identifiers


class Presence(NamedTuple):
    """Decides which nodes are online.

    Members:
      init: `(key, num_nodes) -> memory`, what is remembered of each node: a tree of arrays [N, ...], or () for nothing.
      sample: `(key, tick, num_nodes, memory) -> (memory, joined_mask [N], online_mask [N])`, in every tick from 0 on. A
        node has *joined* once it has been online, and stays joined when it has left.
      check: `(num_nodes) -> None`, which raises InputError for an unsuitable number of nodes; None if any is suitable.
      bind: `(nodes) -> presence` for a model that names nodes: the model in which the names are rows of one network,
        whose `jdgnn.network.Identifiers` are given. The engine calls it wherever it is given a network, and takes those
        members of the result that were `jdgnn.parts.unbound`. None if no node is named.
      remark: `(ticks) -> text`, a remark to show before a run that ends after so many ticks, or an empty text; None for
        no remark.
    """

    init: Callable[..., Any]
    sample: Callable[..., tuple[Any, jax.Array, jax.Array]]
    check: Callable[[int], None] | None = None
    bind: Callable[[Identifiers], "Presence"] | None = None
    remark: Callable[[int], str] | None = None
