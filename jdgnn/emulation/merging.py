"""The exchange of models: who receives from whom, and what the merge rule makes of it.

Axes: N nodes, M models in an inbox.
"""

from typing import Any

import jax
import jax.numpy as jnp

from jdgnn.emulation.per_node import per_node
from jdgnn.protocol.messages import Arrivals, inbox_sources
from jdgnn.protocol.traffic import Gossip

BLOCK = 64  # pairs merged at once: small enough for the cache, and no second copy of all models is ever made

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


def merge_pairs(gossip: Gossip, dst: jax.Array, params: Any, age: jax.Array) -> Model:
    """Merges models of nodes that have sent to each other, pair by pair and in place.

    The same as `merge_inbox` where every node gets at most one model and the sender of it gets the node's own.

    Args:
      gossip: the merge rule, and a sampler that has `pairs`.
      dst: to whom each node has sent its model [N], N for nobody.
      params: parameters of all layers, [N, ...], as they were sent.
      age: their ages [N].

    Returns:
      Parameters and ages after merging.
    """
    assert gossip.peers.pairs is not None
    num_nodes = dst.shape[0]
    left, right = gossip.peers.pairs(dst)
    if left.size == 0:
        return params, age
    num_blocks = -(-left.size // BLOCK)
    padding = (0, num_blocks * BLOCK - left.size)
    left, right = (jnp.pad(side, padding, constant_values=num_nodes) for side in (left, right))
    merge_one = per_node(gossip.merge.merge, shared=(4,))

    def block(index: int, models: Model) -> Model:
        here, there = (jax.lax.dynamic_slice(side, (index * BLOCK,), (BLOCK,)) for side in (left, right))
        a, b = exchange(models, here), exchange(models, there)
        return _put(_put(models, here, merge_one(*a, *b, 0)), there, merge_one(*b, *a, 0))

    return jax.lax.fori_loop(0, num_blocks, block, (params, age))


def _put(models: Model, nodes: jax.Array, rows: Model) -> Model:
    """Writes rows over the models of some nodes; N stands for nobody."""
    return jax.tree.map(lambda all_, new: all_.at[nodes].set(new, mode="drop"), models, rows)


def exchange(sent: Model, src: jax.Array) -> Model:
    """Moves models: row v of the result is the model of node `src[v]`; of no matter whom where that is nobody."""
    return jax.tree.map(lambda leaf: leaf.at[src].get(mode="clip"), sent)


def select(mask: jax.Array, new: Any, old: Any) -> Any:
    """Takes `new` at nodes whose mask [N] is True and `old`, bit for bit, elsewhere."""
    return jax.tree.map(lambda n, o: jnp.where(mask.reshape(mask.shape + (1,) * (n.ndim - 1)), n, o), new, old)
