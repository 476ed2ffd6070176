"""What a merge rule makes of all models of an inbox at once.

Axes: N nodes, M models in an inbox, n some nodes.
"""

from typing import Any

import chex
import jax
import jax.numpy as jnp

from jdgnn.backend import bfloat16
from jdgnn.backend.per_node import per_node
from jdgnn.backend.rows import select, take
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
    dims = chex.Dimensions()
    dims["NM"] = inbox.row.shape
    chex.assert_shape([inbox.is_merged, inbox.staleness], dims["NM"])
    chex.assert_tree_shape_prefix(own, dims["N"] if nodes is None else nodes.shape)
    rule, given = gossip.merge.merge_all, (inbox.row, inbox.is_merged, inbox.staleness, inbox.seed)
    assert rule is not None

    def one(held: tuple[Model, Any]) -> Model:
        own, (row, mask, staleness, seed) = held
        wide, there = (model._replace(params=bfloat16.widened(model.params)) for model in (own, take(sent, row)))
        carried = by_any = None
        if gossip.content is not None:
            params, carried = per_node(gossip.content.decode, shared=(1,))(there.params, wide.params)
            there = there._replace(params=params)
            came = select(mask, carried, jax.tree.map(jnp.zeros_like, carried))
            by_any = jax.tree.map(lambda rows: jnp.any(rows, axis=0), came)
        # what stands where nothing came is the node's own, so that no rule can trip over it
        numbers = select(mask, there.params, wide.params)
        merged: Model = rule(wide, Received(numbers, there.age, mask, staleness, carried, there.weight))
        if seed is not None:
            merged = merged._replace(params=bfloat16.rounded(merged.params, own.params, seed))
        if by_any is not None:
            merged = merged._replace(params=jax.tree.map(jnp.where, by_any, merged.params, own.params))
        return jax.tree.map(lambda new, old: jnp.where(jnp.any(mask), new, old), merged, own)

    merged: Model = jax.lax.map(one, (own, take(given, nodes)), batch_size=NODES_AT_ONCE)
    return merged
