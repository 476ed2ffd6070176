"""What nodes hold of one another: vectors over edges, positives, negatives.

Axes: N nodes, E directed edges, F features that enter a layer, F' that leave it, K positives, C samples, n some nodes.
"""

from dataclasses import replace
from typing import NamedTuple

import jax
import jax.numpy as jnp

from jdgnn.emulation.spec import Spec
from jdgnn.emulation.state import State
from jdgnn.learning.local_step import Received
from jdgnn.network.topology import Topology
from jdgnn.protocol.events import Events
from jdgnn.protocol.messages import Content


def oldest_used(spec: Spec, now: jax.Array) -> jax.Array | int:
    """The first tick in which an embedding may have been sent that is used in tick `now`; 0 where none expires."""
    expiry = spec.traffic.publish.expiry
    return 0 if expiry is None else jnp.maximum(now - expiry, 0)


def over_edges(
    topology: Topology,
    features: jax.Array,
    joined: jax.Array | None,
    state: State,
    index: int,
    oldest: jax.Array | int = 0,
) -> tuple[jax.Array, jax.Array]:
    """Inputs of layer `index` as they came over each edge.

    Args:
      topology: the links.
      features: what each node measures of itself [N, F0]; known to neighbours from its first tick on.
      joined: who has joined [N]; None for all.
      state: after receiving.
      index: number of the layer.
      oldest: the first tick of sending of what is used, as `oldest_used` gives it.

    Returns:
      The newest vector [E, F] and whether there is one that is used [E].
    """
    if index == 0:
        is_known = jnp.ones(topology.num_edges, bool) if joined is None else joined[topology.senders]
        return topology.backend.gather_known(features, topology.senders), is_known
    if state.mailbox is not None:
        return state.mailbox.entries[index - 1], state.mailbox.version >= oldest
    return topology.backend.gather_known(state.embeddings[index - 1], topology.senders), state.embedded_at[
        topology.senders
    ] >= oldest


class Chosen(NamedTuple):
    """What some nodes [n] compare with, before it is fetched."""

    edges: jax.Array  # [n, K] int32, over which positives came; E for none
    negatives: jax.Array  # [n, C, F']
    neg_mask: jax.Array  # [n, C]


def chosen(state: State, events: Events, index: int) -> Chosen:
    """What layer `index` compares with at all nodes."""
    embeddings, samples = state.embeddings[index], state.samples
    if samples is None:
        num_nodes, width = embeddings.shape
        nothing = jnp.zeros((num_nodes, 0, width), embeddings.dtype)
        return Chosen(events.positives, nothing, jnp.zeros((num_nodes, 0), bool))
    return Chosen(events.positives, samples.entries[index], samples.mask)


def received(topology: Topology, state: State, index: int, rows: Chosen, oldest: jax.Array | int = 0) -> Received:
    """What layer `index` compares with at some nodes; of positives what was sent in tick `oldest` or later."""
    positives, pos_mask = _positives(topology, state, rows.edges, index, oldest)
    return Received(positives=positives, pos_mask=pos_mask, negatives=rows.negatives, neg_mask=rows.neg_mask)


def _positives(
    topology: Topology, state: State, edges: jax.Array, index: int, oldest: jax.Array | int
) -> tuple[jax.Array, jax.Array]:
    """Embeddings over chosen edges [n, K, F'], E for none, and whether they are there and used [n, K]."""
    if state.mailbox is not None:
        entries, version, row = state.mailbox.entries[index], state.mailbox.version, edges
    else:
        senders = jnp.append(topology.senders, jnp.int32(topology.num_nodes))  # no edge comes from nobody
        entries, version, row = state.embeddings[index], state.embedded_at, senders[edges]
    if not entries.shape[0]:
        return jnp.zeros((*edges.shape, entries.shape[1]), entries.dtype), jnp.zeros(edges.shape, bool)
    vectors = topology.backend.gather(entries, row)
    return vectors, version.at[row].get(mode="fill", fill_value=-1) >= oldest


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
