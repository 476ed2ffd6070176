"""Merging received models into a node's own: one by one, pair by pair, or all of an inbox at once.

Axes: N nodes, M models in an inbox, n some nodes.
"""

import math
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from jdgnn.backend import bfloat16
from jdgnn.backend.per_node import per_node
from jdgnn.backend.rows import put, select, take
from jdgnn.emulation.inbox import Inbox
from jdgnn.protocol.model import Model, Received
from jdgnn.protocol.traffic import Gossip

BLOCK = 64  # pairs merged at once: they fit the cache, and no second copy of all models is made
NUM_BLOCKS = 16  # at least so many blocks of columns per matrix
NODES_AT_ONCE = 64  # whole inboxes gathered together, of M models each


def fold(gossip: Gossip, inbox: Inbox, sent: Model, own: Model, nodes: jax.Array | None) -> Model:
    """Folds the models in inboxes into the nodes' own, one after another.

    Args:
      gossip: the merge rule.
      inbox: the models that each node merges.
      sent: all models sent, by the rows of the inbox.
      own: models of some nodes [n, ...].
      nodes: their numbers [n]; None for all.
    """
    row, is_merged, seed = take((inbox.row, inbox.is_merged, inbox.seed), nodes)
    fold_index = take(inbox.fold_index, nodes)

    def one(column: int, own: Model) -> Model:
        merged = per_node(_merge_one, shared=(0,))(gossip, own, take(sent, row[:, column]), fold_index[:, column], seed)
        return select(is_merged[:, column], merged, own)

    return jax.lax.fori_loop(0, row.shape[1], one, own)


def _merge_one(
    gossip: Gossip,
    own: Model,
    sent: Model,
    fold_index: jax.Array,
    seed: jax.Array | None,
    *,
    offset: jax.Array | int = 0,
    first: int = 0,
) -> Model:
    """One node merges one model; numbers that the message does not carry stay.

    A seed rounds numbers that are kept in bfloat16. For a slice of the model, `offset` and `first` place it, as in
    `bfloat16.rounded`.
    """
    assert gossip.merge.merge is not None
    here, received, is_carried = computed(gossip, own.params, sent.params, seed)
    merged, age = gossip.merge.merge(here, own.age, received, sent.age, fold_index)
    seed = None if seed is None else seed + fold_index.astype(jnp.uint32)
    return Model(kept(merged, own.params, seed, is_carried, offset, first), age)


def computed(gossip: Gossip, own: Any, sent: Any, seed: jax.Array | None) -> tuple[Any, Any, Any]:
    """A node's own and a received model, widened if a seed will round them, and which numbers came; None for all.

    Numbers that the message does not carry are the node's own.
    """
    here = own if seed is None else bfloat16.widened(own)
    if gossip.content is None:
        return here, sent if seed is None else bfloat16.widened(sent), None
    return here, *gossip.content.decode(sent, here)


def kept(
    merged: Any, own: Any, seed: jax.Array | None, is_carried: Any, offset: jax.Array | int = 0, first: int = 0
) -> Any:
    """The parameters to keep after a merge: rounded if there is a seed, and the node's own where no number came."""
    if seed is not None:
        merged = bfloat16.rounded(merged, own, seed, offset, first)
    return merged if is_carried is None else jax.tree.map(jnp.where, is_carried, merged, own)


def fold_in_place(gossip: Gossip, inbox: Inbox, models: Model, *, blocks: bool = True) -> Model:
    """The result of `fold` where the sent models are the nodes' own [N, ...], without a second copy of them.

    The rule must have `weigh`: it gives every number the same mean, so some columns of all models are folded at a time
    if `blocks` is True.
    """
    ages = _ages(gossip, inbox, models.age)
    leaves, structure = jax.tree.flatten(models.params)
    merge = _merged_by_columns if blocks else _merged_numbers
    merged = [merge(gossip, number, leaf, inbox, ages) for number, leaf in enumerate(leaves)]
    return Model(jax.tree.unflatten(structure, merged), ages[-1])


def _ages(gossip: Gossip, inbox: Inbox, age: jax.Array) -> list[jax.Array]:
    """Ages of the nodes' models [N] before each fold, and after the last."""
    assert gossip.merge.merge is not None
    ages, fold_index = [age], inbox.fold_index
    for column in range(inbox.row.shape[1]):
        received_age = take(age, inbox.row[:, column])
        _, merged = per_node(gossip.merge.merge)((), ages[-1], (), received_age, fold_index[:, column])
        ages.append(select(inbox.is_merged[:, column], merged, ages[-1]))
    return ages


def _merged_by_columns(gossip: Gossip, number: int, leaf: jax.Array, inbox: Inbox, ages: list[jax.Array]) -> jax.Array:
    """Merges array `number` of the models [N, ...], some columns at a time."""
    if leaf.ndim == 1 or leaf.size == 0:
        return _merged_numbers(gossip, number, leaf, inbox, ages)
    length = leaf.shape[1]
    size = max(size for size in range(1, max(2, length // NUM_BLOCKS + 1)) if length % size == 0)

    def block(index: jax.Array, leaf: jax.Array) -> jax.Array:
        here = jax.lax.dynamic_slice_in_dim(leaf, index * size, size, axis=1)
        merged = _merged_numbers(gossip, number, here, inbox, ages, index * math.prod(here.shape[1:]))
        return jax.lax.dynamic_update_slice_in_dim(leaf, merged, index * size, axis=1)

    return jax.lax.fori_loop(0, length // size, block, leaf)


def _merged_numbers(
    gossip: Gossip, number: int, sent: jax.Array, inbox: Inbox, ages: list[jax.Array], offset: jax.Array | int = 0
) -> jax.Array:
    """Merges numbers [N, ...] of array `number`, which follow `offset` others at each node."""
    own, fold_index = sent, inbox.fold_index
    merge_one = per_node(partial(_merge_one, offset=offset, first=number), shared=(0,))
    for column in range(inbox.row.shape[1]):
        received = take(Model(sent, ages[0]), inbox.row[:, column])
        merged = merge_one(gossip, Model(own, ages[column]), received, fold_index[:, column], inbox.seed)
        own = select(inbox.is_merged[:, column], merged.params, own)
    return own


def shares_of(gossip: Gossip, inbox: Inbox, sent_age: jax.Array, age: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The share of each received model in its fold [N, M], by a rule with `weigh`, and ages [N] after all folds."""
    assert gossip.merge.weigh is not None
    fold_index = inbox.fold_index
    shares = []
    for column in range(inbox.row.shape[1]):
        received_age = take(sent_age, inbox.row[:, column])
        share, new_age = per_node(gossip.merge.weigh)(age, received_age, fold_index[:, column])
        shares.append(jnp.broadcast_to(jnp.asarray(share, float), age.shape))
        age = jnp.where(inbox.is_merged[:, column], new_age, age)
    return jnp.stack(shares, axis=1), age


def merge_pairs(
    gossip: Gossip, dst: jax.Array, is_merged: jax.Array, models: Model, seed: jax.Array | None = None
) -> Model:
    """Merges models of nodes that send to each other, pair by pair and in place.

    Args:
      gossip: the merge rule.
      dst: the partner of each node [N], N for none.
      is_merged: nodes that merge their partner's model [N].
      models: parameters of all layers [N, ...] and ages [N], as they were sent.
      seed: as in an inbox.
    """
    num_nodes = dst.shape[0]
    left, right = pairs_of(dst)
    if left.size == 0:
        return models
    num_blocks = -(-left.size // BLOCK)
    padding = (0, num_blocks * BLOCK - left.size)
    left, right = (jnp.pad(side, padding, constant_values=num_nodes) for side in (left, right))
    merge_one = per_node(_merge_one, shared=(0, 3))

    def block(index: int, models: Model) -> Model:
        here, there = (jax.lax.dynamic_slice(side, (index * BLOCK,), (BLOCK,)) for side in (left, right))
        a, b = take(models, here), take(models, there)
        first = jnp.int32(0)
        new_a = select(take(is_merged, here), merge_one(gossip, a, b, first, take(seed, here)), a)
        new_b = select(take(is_merged, there), merge_one(gossip, b, a, first, take(seed, there)), b)
        return put(put(models, here, new_a), there, new_b)

    return jax.lax.fori_loop(0, num_blocks, block, models)


def pairs_of(dst: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Nodes [N // 2] that send to each other, by the receiver of each [N], and their partners; padded with N."""
    num_nodes = dst.shape[0]
    node = jnp.arange(num_nodes, dtype=jnp.int32)
    is_mutual = dst.at[dst].get(mode="fill", fill_value=num_nodes) == node
    (left,) = jnp.nonzero(is_mutual & (node < dst), size=num_nodes // 2, fill_value=num_nodes)
    return left.astype(jnp.int32), dst.at[left].get(mode="fill", fill_value=num_nodes)


def merge_all(gossip: Gossip, inbox: Inbox, sent: Model, own: Model, nodes: jax.Array | None) -> Model:
    """Merges all models of an inbox at once into the node's own; models of nodes without one stay bit for bit.

    Args:
      gossip: a merge rule that has `merge_all`.
      inbox: the models that each node merges.
      sent: all models sent, by the rows of the inbox.
      own: models of some nodes [n, ...].
      nodes: their numbers [n]; None for all.
    """
    rule, given = gossip.merge.merge_all, (inbox.row, inbox.is_merged, inbox.staleness, inbox.seed)
    assert rule is not None

    def one(held: tuple[Model, Any]) -> Model:
        own, (row, mask, staleness, seed) = held
        there = take(sent, row)
        read = jax.vmap(lambda params: computed(gossip, own.params, params, seed), out_axes=(None, 0, 0))
        here, params, carried = read(there.params)
        # empty places hold the node's own model, so that no rule meets invalid numbers
        received = Received(select(mask, params, here), there.age, mask, staleness, carried, there.weight)
        merged: Model = rule(own._replace(params=here), received)
        by_any = jax.tree.map(lambda came: jnp.any(select(mask, came, jnp.zeros_like(came)), axis=0), carried)
        merged = merged._replace(params=kept(merged.params, own.params, seed, by_any))
        return jax.tree.map(lambda new, old: jnp.where(jnp.any(mask), new, old), merged, own)

    merged: Model = jax.lax.map(one, (own, take(given, nodes)), batch_size=NODES_AT_ONCE)
    return merged
