"""Arrivals in a tick: embeddings, pushes and models; and which nodes are awake then.

Axes: N nodes.
"""

from dataclasses import replace

import jax
import jax.numpy as jnp

from jdgnn.emulation import views
from jdgnn.emulation.context import Tick
from jdgnn.emulation.state import State
from jdgnn.network.edges import sum_over_in_edges
from jdgnn.protocol import mailbox, pushes
from jdgnn.protocol.accounts import Counts, together


def receive(tick: Tick, state: State) -> tuple[State, Counts]:
    """Stores the arrivals of this tick at all nodes that are online."""
    state, embeddings = _receive_embeddings(tick, state)
    state, samples = _receive_pushes(tick, state)
    state, models = _receive_models(tick, state)
    return state, together(embeddings, samples, models)


def _receive_embeddings(tick: Tick, state: State) -> tuple[State, Counts]:
    """Stores embeddings from neighbours in the mailboxes.

    Without mailboxes they stay with their senders: the embedding that a sender holds is the one that has arrived.
    """
    topology = tick.topology
    if state.mailbox is None:
        is_new = (state.tick > 0) & (state.embedded_at[topology.senders] == state.tick - 1)
        return state, {("embedding", "delivered"): sum_over_in_edges(is_new.astype(jnp.int32), topology)}
    held, counts = mailbox.receive(
        state.mailbox,
        topology,
        state.tick,
        tick.events.online,
        lambda sent_at: views.sent_embeddings(state, topology.senders, sent_at),
    )
    return replace(state, mailbox=held), counts


def _receive_pushes(tick: Tick, state: State) -> tuple[State, Counts]:
    """Stores arriving pushes in the sample buffers."""
    if state.pushes is None or state.samples is None:
        return state, {}
    samples, counts = pushes.receive(
        tick.backend,
        state.pushes,
        state.tick,
        tick.events.online,
        state.samples,
        lambda src, delay: views.sent_embeddings(state, src, state.tick - 1 - delay),
        tick.spec.active_fraction,
    )
    return replace(state, samples=samples), counts


def _receive_models(tick: Tick, state: State) -> tuple[State, Counts]:
    """Puts arriving models into inboxes, where they can wait."""
    if tick.transport is None:
        return state, {}
    models, counts = tick.transport.receive(tick.backend, state.models, state.tick, tick.events.online)
    return replace(state, models=models), counts


def active_nodes(tick: Tick, state: State) -> jax.Array | None:
    """Nodes awake in this tick [N]: online, and drawn to wake or, on receipt, reached by a model; None for all."""
    wakes, online, transport = tick.events.wake, tick.events.online, tick.transport
    on_receipt = tick.spec.traffic.availability.on_receipt
    if wakes is not None and on_receipt and transport is not None and transport.entered is not None:
        wakes = wakes | transport.entered(state.models, state.tick)
    if wakes is None or online is None:
        return online if wakes is None else wakes
    return wakes & online
