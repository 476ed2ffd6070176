"""What a merge rule makes of received models: folded one by one, pair by pair, or some numbers of all at a time.

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
from jdgnn.protocol.model import Model
from jdgnn.protocol.traffic import Gossip

BLOCK = 64  # pairs merged at once: small enough for the cache, and no second copy of all models is ever made

NUM_BLOCKS = 16  # in how many, at least, matrices are cut where they are merged some columns at a time


def fold(gossip: Gossip, inbox: Inbox, sent: Model, own: Model, nodes: jax.Array | None) -> Model:
    """Folds the models in inboxes into the nodes' own, one after another.

    Args:
      gossip: the merge rule.
      inbox: what each node merges.
      sent: the models that were sent, by the rows of the inbox.
      own: models of some nodes [n, ...].
      nodes: which nodes these are [n]; None for all.

    Returns:
      The models after merging.
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
    """One node merges one model, or what a message carries of it: other numbers stay as they are.

    What is kept in bfloat16 is rounded by the seed, if there is one. Of a part of the model, `offset` and `first` say
    which, as in `bfloat16.rounded`.
    """
    assert gossip.merge.merge is not None
    here, received, is_carried = computed(gossip, own.params, sent.params, seed)
    merged, age = gossip.merge.merge(here, own.age, received, sent.age, fold_index)
    seed = None if seed is None else seed + fold_index.astype(jnp.uint32)
    return Model(kept(merged, own.params, seed, is_carried, offset, first), age)


def computed(gossip: Gossip, own: Any, sent: Any, seed: jax.Array | None) -> tuple[Any, Any, Any]:
    """A node's own and a received model as they are computed with, and which numbers of the latter came; None for all.

    What will be rounded by a seed is widened; numbers that a message does not carry are the node's own.
    """
    here = own if seed is None else bfloat16.widened(own)
    if gossip.content is None:
        return here, sent if seed is None else bfloat16.widened(sent), None
    return here, *gossip.content.decode(sent, here)


def kept(
    merged: Any, own: Any, seed: jax.Array | None, is_carried: Any, offset: jax.Array | int = 0, first: int = 0
) -> Any:
    """What a node keeps of merged parameters: rounded by the seed, if there is one, and its own where nothing came."""
    if seed is not None:
        merged = bfloat16.rounded(merged, own, seed, offset, first)
    return merged if is_carried is None else jax.tree.map(jnp.where, is_carried, merged, own)


def fold_in_place(gossip: Gossip, inbox: Inbox, models: Model, *, blocks: bool = True) -> Model:
    """What `fold` gives where the models sent are the nodes' own, without a second copy of all of them.

    Rules that give every number the same mean can be folded some numbers of all models at a time.

    Args:
      gossip: a merge rule that has `weigh`.
      inbox: what each node merges.
      models: parameters of all layers [N, ...] and ages [N], as they were sent.
      blocks: whether some numbers of all models are merged at a time, or all.

    Returns:
      Parameters and ages after merging.
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
    """Merges the numbers [N, ...] of the array of that number, some columns at a time."""
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
    """Merges numbers [N, ...] of the array of that number, before which there are `offset` others at each node."""
    own, fold_index = sent, inbox.fold_index
    merge_one = per_node(partial(_merge_one, offset=offset, first=number), shared=(0,))
    for column in range(inbox.row.shape[1]):
        received = take(Model(sent, ages[0]), inbox.row[:, column])
        merged = merge_one(gossip, Model(own, ages[column]), received, fold_index[:, column], inbox.seed)
        own = select(inbox.is_merged[:, column], merged.params, own)
    return own


def shares_of(gossip: Gossip, inbox: Inbox, sent_age: jax.Array, age: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The share of each received model when its turn comes.

    Args:
      gossip: a merge rule that has `weigh`.
      inbox: what each node merges.
      sent_age: ages of what was sent, by the rows of the inbox.
      age: ages of the nodes' own models [N].

    Returns:
      Shares [N, M], and ages after merging [N].
    """
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
      dst: the partner of each node [N], N for nobody.
      is_merged: which nodes merge what their partner sent [N].
      models: parameters of all layers [N, ...] and ages [N], as they were sent.
      seed: as in an inbox.

    Returns:
      Parameters and ages after merging.
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
    """The nodes [N // 2] that send to each other, by to whom each sends [N], and their partners; filled up with N."""
    num_nodes = dst.shape[0]
    node = jnp.arange(num_nodes, dtype=jnp.int32)
    is_mutual = dst.at[dst].get(mode="fill", fill_value=num_nodes) == node
    (left,) = jnp.nonzero(is_mutual & (node < dst), size=num_nodes // 2, fill_value=num_nodes)
    return left.astype(jnp.int32), dst.at[left].get(mode="fill", fill_value=num_nodes)
