"""What a merge rule makes of all models of an inbox at once.

Axes: N nodes, M models in an inbox, n some nodes.
"""

from typing import Any

import jax
import jax.numpy as jnp

from jdgnn.backend.rows import select, take
from jdgnn.emulation.fold import computed, kept
from jdgnn.emulation.inbox import Inbox
from jdgnn.protocol.model import Model, Received
from jdgnn.protocol.traffic import Gossip

NODES_AT_ONCE = 64  # whose inboxes are gathered together: M models of each


def merge_all(gossip: Gossip, inbox: Inbox, sent: Model, own: Model, nodes: jax.Array | None) -> Model:
    """Merges the models in inboxes into the nodes' own, all of an inbox at once; others stay, bit for bit.

    Args:
      gossip: a merge rule that has `merge_all`.
      inbox: what each node merges.
      sent: the models that were sent, by the rows of the inbox.
      own: models of some nodes [n, ...].
      nodes: which nodes these are [n]; None for all.

    Returns:
      The models after merging.
    """
    rule, given = gossip.merge.merge_all, (inbox.row, inbox.is_merged, inbox.staleness, inbox.seed)
    assert rule is not None

    def one(held: tuple[Model, Any]) -> Model:
        own, (row, mask, staleness, seed) = held
        there = take(sent, row)
        read = jax.vmap(lambda params: computed(gossip, own.params, params, seed), out_axes=(None, 0, 0))
        here, params, carried = read(there.params)
        # what stands where nothing came is the node's own, so that no rule can trip over it
        received = Received(select(mask, params, here), there.age, mask, staleness, carried, there.weight)
        merged: Model = rule(own._replace(params=here), received)
        by_any = jax.tree.map(lambda came: jnp.any(select(mask, came, jnp.zeros_like(came)), axis=0), carried)
        merged = merged._replace(params=kept(merged.params, own.params, seed, by_any))
        return jax.tree.map(lambda new, old: jnp.where(jnp.any(mask), new, old), merged, own)

    merged: Model = jax.lax.map(one, (own, take(given, nodes)), batch_size=NODES_AT_ONCE)
    return merged
