"""What nodes hold of one another: vectors over edges, positives, negatives.

Axes: N nodes, E directed edges, F features that enter a layer, F' that leave it, K positives, C samples, n some nodes.
"""

from dataclasses import replace
from typing import NamedTuple

import jax
import jax.numpy as jnp

from jdgnn.emulation.context import Tick
from jdgnn.emulation.spec import Spec
from jdgnn.emulation.state import State
from jdgnn.learning.local_step import Received
from jdgnn.protocol.events import Events
from jdgnn.protocol.messages import Content


def oldest_used(spec: Spec, now: jax.Array) -> jax.Array | int:
    """The first tick from which sent embeddings are used in tick `now`; 0 where none expires."""
    expiry = spec.traffic.publish.expiry
    return 0 if expiry is None else jnp.maximum(now - expiry, 0)


def over_edges(tick: Tick, state: State, index: int) -> tuple[jax.Array, jax.Array]:
    """The newest input of layer `index` over each edge [E, F], and whether there is one that is used [E]."""
    senders, joined, gather = tick.topology.senders, tick.events.joined, tick.backend.gather_known
    if index == 0:  # neighbours know the features of a node from its first tick on
        is_known = jnp.ones(tick.topology.num_edges, bool) if joined is None else joined[senders]
        return gather(tick.features, senders), is_known
    oldest = oldest_used(tick.spec, state.tick)
    if state.mailbox is not None:
        return state.mailbox.entries[index - 1], state.mailbox.version >= oldest
    return gather(state.embeddings[index - 1], senders), state.embedded_at[senders] >= oldest


class Chosen(NamedTuple):
    """The choice of what some nodes [n] compare with, before it is fetched."""

    edges: jax.Array  # [n, K] int32, edges of the positives; E for none
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


def received(tick: Tick, state: State, index: int, rows: Chosen) -> Received:
    """What layer `index` compares with at some nodes; expired positives are masked."""
    positives, pos_mask = _positives(tick, state, rows.edges, index)
    return Received(positives=positives, pos_mask=pos_mask, negatives=rows.negatives, neg_mask=rows.neg_mask)


def _positives(tick: Tick, state: State, edges: jax.Array, index: int) -> tuple[jax.Array, jax.Array]:
    """Embeddings over chosen edges [n, K, F'], E for none, and whether they exist and are used [n, K]."""
    if state.mailbox is not None:
        entries, version, row = state.mailbox.entries[index], state.mailbox.version, edges
    else:
        senders = jnp.append(tick.topology.senders, jnp.int32(tick.topology.num_nodes))  # E stands for no edge
        entries, version, row = state.embeddings[index], state.embedded_at, senders[edges]
    if not entries.shape[0]:
        return jnp.zeros((*edges.shape, entries.shape[1]), entries.dtype), jnp.zeros(edges.shape, bool)
    is_used = version.at[row].get(mode="fill", fill_value=-1) >= oldest_used(tick.spec, state.tick)
    return tick.backend.gather(entries, row), is_used


def sent_embeddings(state: State, src: jax.Array, sent_at: jax.Array) -> Content:
    """Embeddings that nodes `src` [n] sent in ticks `sent_at` [n]."""
    if state.history is None:
        return Content(state.embeddings, src)
    depth = state.history[0].shape[1]
    tables = tuple(layer.reshape(-1, layer.shape[2]) for layer in state.history)
    return Content(tables, src * depth + sent_at % depth)


def remembered(state: State) -> State:
    """Writes the present embeddings into the history of those in flight."""
    if state.history is None:
        return state
    slot = state.tick % state.history[0].shape[1]
    pairs = zip(state.history, state.embeddings, strict=True)
    return replace(state, history=tuple(past.at[:, slot].set(present) for past, present in pairs))
