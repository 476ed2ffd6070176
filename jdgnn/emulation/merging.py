"""The exchange of models: who receives from whom, and what the merge rule makes of it.

Axes: N nodes, M models in an inbox.
"""

from typing import Any

import jax
import jax.numpy as jnp

from jdgnn.emulation.per_node import per_node
from jdgnn.protocol.messages import Arrivals, inbox_sources
from jdgnn.protocol.traffic import Gossip

Model = tuple[Any, jax.Array]  # parameters of all layers and age, node axis first


def merge_inbox(gossip: Gossip, messages: Arrivals, params: Any, age: jax.Array) -> Model:
    """Folds the models in each inbox into the node's own, one after another in order of arrival.

    Args:
      gossip: the merge rule and the room in an inbox.
      messages: models that arrive in this tick, sent at the end of the tick before.
      params: parameters of all layers, [N, ...], as they were sent.
      age: their ages [N].

    Returns:
      Parameters and ages after merging.
    """
    src, is_model = inbox_sources(messages, gossip.capacity)
    sent = (params, age)
    merge_one = per_node(gossip.merge.merge, shared=(4,))

    def fold(index: int, own: Model) -> Model:
        received = exchange(sent, src[:, index])
        return select(is_model[:, index], merge_one(*own, *received, index), own)

    return jax.lax.fori_loop(0, gossip.capacity, fold, sent)


def exchange(sent: Model, src: jax.Array) -> Model:
    """Moves models: row v of the result is the model of node `src[v]`; of no matter whom where that is nobody."""
    return jax.tree.map(lambda leaf: leaf.at[src].get(mode="clip"), sent)


def select(mask: jax.Array, new: Any, old: Any) -> Any:
    """Takes `new` at nodes whose mask [N] is True and `old`, bit for bit, elsewhere."""
    return jax.tree.map(lambda n, o: jnp.where(mask.reshape(mask.shape + (1,) * (n.ndim - 1)), n, o), new, old)
