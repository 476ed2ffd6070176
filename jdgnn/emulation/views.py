"""What nodes hold of one another: vectors over edges, positives, negatives.

Axes: N nodes, E directed edges, F features that enter a layer, F' that leave it, K positives, C samples, n some nodes.
"""

from dataclasses import replace

import jax
import jax.numpy as jnp

from jdgnn.emulation.state import State
from jdgnn.learning.local_step import Received
from jdgnn.network.topology import Topology
from jdgnn.protocol.events import Events
from jdgnn.protocol.messages import Content
from jdgnn.protocol.rows import take, take_all, take_or_zero


def over_edges(
    topology: Topology, features: jax.Array, joined: jax.Array | None, state: State, index: int
) -> tuple[jax.Array, jax.Array]:
    """Inputs of layer `index` as they came over each edge.

    Args:
      topology: the links.
      features: what each node measures of itself [N, F0]; known to neighbours from its first tick on.
      joined: who has joined [N]; None for all.
      state: after receiving.
      index: number of the layer.

    Returns:
      The newest vector [E, F] and whether there is one [E].
    """
    if index == 0:
        is_known = jnp.ones(topology.num_edges, bool) if joined is None else joined[topology.senders]
        return take_all(features, topology.senders), is_known
    if state.mailbox is not None:
        return state.mailbox.entries[index - 1], state.mailbox.version >= 0
    return take_all(state.embeddings[index - 1], topology.senders), state.embedded_at[topology.senders] >= 0


def received(topology: Topology, state: State, events: Events, index: int, nodes: jax.Array | None) -> Received:
    """What layer `index` compares with at some nodes [n]; at all for None."""
    positives, pos_mask = _positives(topology, state, take(events.positives, nodes), index)
    num_nodes, width = positives.shape[0], positives.shape[2]
    if state.samples is None:
        negatives, neg_mask = jnp.zeros((num_nodes, 0, width), positives.dtype), jnp.zeros((num_nodes, 0), bool)
    else:
        negatives, neg_mask = take((state.samples.entries[index], state.samples.mask), nodes)
    return Received(positives=positives, pos_mask=pos_mask, negatives=negatives, neg_mask=neg_mask)


def _positives(topology: Topology, state: State, edges: jax.Array, index: int) -> tuple[jax.Array, jax.Array]:
    """Embeddings over chosen edges [n, K, F'], E for none, and whether they are there [n, K]."""
    if state.mailbox is not None:
        entries, version, row = state.mailbox.entries[index], state.mailbox.version, edges
    else:
        senders = jnp.append(topology.senders, jnp.int32(topology.num_nodes))  # no edge comes from nobody
        entries, version, row = state.embeddings[index], state.embedded_at, senders[edges]
    if not entries.shape[0]:
        return jnp.zeros((*edges.shape, entries.shape[1]), entries.dtype), jnp.zeros(edges.shape, bool)
    vectors = take_or_zero(entries, row)
    return vectors, version.at[row].get(mode="fill", fill_value=-1) >= 0


def sent_embeddings(state: State, src: jax.Array, sent_at: jax.Array) -> Content:
    """Embeddings that nodes `src` [n] sent in ticks `sent_at` [n]."""
    if state.history is None:
        return Content(state.embeddings, src)
    depth = state.history[0].shape[1]
    tables = tuple(layer.reshape(-1, layer.shape[2]) for layer in state.history)
    return Content(tables, src * depth + sent_at % depth)


def remembered(state: State) -> State:
    """Writes the present embeddings into the history of those that messages may still carry."""
    if state.history is None:
        return state
    slot = state.tick % state.history[0].shape[1]
    return replace(
        state,
        history=tuple(
            past.at[:, slot].set(present) for past, present in zip(state.history, state.embeddings, strict=True)
        ),
    )
