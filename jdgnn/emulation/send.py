"""Sending by active nodes in a tick: embeddings to neighbours, pushes, and models.

Axes: N nodes.
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from jdgnn.backend.per_node import per_node
from jdgnn.backend.rows import select
from jdgnn.emulation import views
from jdgnn.emulation.context import Tick
from jdgnn.emulation.outgoing import outgoing
from jdgnn.emulation.spec import awake_capacity
from jdgnn.emulation.state import State
from jdgnn.protocol import mailbox, pushes
from jdgnn.protocol.accounts import Counts, add_words, together
from jdgnn.protocol.model import Model
from jdgnn.protocol.schedules import Schedule, every
from jdgnn.protocol.traffic import Gossip
from jdgnn.protocol.transport import Dispatch


def send(tick: Tick, state: State, num_merged: jax.Array) -> tuple[State, Counts]:
    """Sends as schedules say; nodes have merged `num_merged` models [N] in this wake."""
    state, embeddings = _send_embeddings(tick, state, tick.spec.traffic.publish.schedule)
    state, samples = _send_pushes(tick, state, None if tick.spec.push is None else tick.spec.push.schedule, num_merged)
    state, models = _send_models(tick, state, num_merged)
    return state, together(embeddings, samples, models)


def send_all_embeddings(tick: Tick, state: State) -> tuple[State, Counts]:
    """Sends embeddings to all neighbours and all push recipients, whatever the schedules say."""
    state, embeddings = _send_embeddings(tick, state, None)
    state, samples = _send_pushes(tick, state, every(), jnp.zeros_like(state.age))
    return state, together(embeddings, samples)


def _send_embeddings(tick: Tick, state: State, schedule: Schedule | None) -> tuple[State, Counts]:
    """Sends the new embeddings of active nodes to all graph neighbours, as scheduled; None always sends."""
    topology, events = tick.topology, tick.events
    sending = jnp.ones(state.num_nodes, bool) if tick.active is None else tick.active
    state = replace(state, embedded_at=jnp.where(sending, state.tick, state.embedded_at))
    state = views.remembered(state)
    if schedule is not None:
        decide = per_node(schedule.decide, shared=(0, 3, 4))
        sending = sending & (decide((), state.wakes, jnp.zeros_like(state.wakes), None, 1) > 0)
    if state.mailbox is None:
        return state, {("embedding", "sent"): jnp.where(sending, topology.out_degree, 0)}
    fate = events.embedding_dropped, events.embedding_delay, events.link_up
    held, counts = mailbox.send(state.mailbox, topology, state.tick, sending, *fate)
    return replace(state, mailbox=held), counts


def _send_pushes(tick: Tick, state: State, schedule: Schedule | None, num_merged: jax.Array) -> tuple[State, Counts]:
    """Pushes the new embeddings of active nodes to random nodes, as scheduled."""
    if state.pushes is None or schedule is None:
        return state, {}
    events = tick.events
    is_sent, memory, excess = _scheduled(
        tick, state, schedule, state.push_schedule, num_merged, events.push_uniform, events.push_dst
    )
    flight, counts = pushes.send(
        state.pushes, state.tick, is_sent, events.push_dst, events.push_rank, events.push_dropped, events.push_delay
    )
    num_excess = state.num_excess.at[0].set(add_words(state.num_excess[0], excess))
    return replace(state, pushes=flight, push_schedule=memory, num_excess=num_excess), counts


def _send_models(tick: Tick, state: State, num_merged: jax.Array) -> tuple[State, Counts]:
    """Sends the parameters of active nodes, as they are at the end of the wake, with their age."""
    gossip, transport, events = tick.spec.gossip, tick.transport, tick.events
    if gossip is None or transport is None:
        return state, {}
    is_sent, memory, excess = _scheduled(
        tick, state, gossip.schedule, state.model_schedule, num_merged, events.model_uniform, events.model_dst
    )
    dispatch = Dispatch(is_sent, events.model_dst, events.model_rank, events.model_dropped, events.model_delay)
    weight = _divided(gossip, state.weight, is_sent)
    encoded, memory_of_content = outgoing(tick, state, transport.own(state.models, state.params), is_sent)
    message = Model(encoded, state.age, weight)
    room = awake_capacity(tick.spec, state.num_nodes)
    usual = None if room is None else room * gossip.fanout
    models, counts = transport.send(tick.backend, gossip, state.models, state.tick, dispatch, message, usual)
    unplaced = jnp.sum(counts.get(("model", "evicted"), jnp.int32(0)), dtype=jnp.int32)
    state = replace(
        state,
        models=models,
        weight=weight,
        content=memory_of_content,
        model_schedule=memory,
        num_excess=state.num_excess.at[1].set(add_words(state.num_excess[1], excess)),
        num_unplaced=add_words(state.num_unplaced, unplaced),
    )
    return state, counts


def _divided(gossip: Gossip, weight: jax.Array | None, is_sent: jax.Array) -> jax.Array | None:
    """Weights [N] after sending to some slots [N, R], which both the nodes and their messages carry."""
    if weight is None or gossip.merge.divide is None:
        return weight
    num_sent = jnp.sum(is_sent, axis=1, dtype=jnp.int32)
    remaining: jax.Array = jnp.where(num_sent > 0, per_node(gossip.merge.divide)(weight, num_sent), weight)
    return remaining


def _scheduled(
    tick: Tick,
    state: State,
    schedule: Schedule,
    memory: Any,
    num_merged: jax.Array,
    uniform: jax.Array | None,
    dst: jax.Array,
) -> tuple[jax.Array, Any, jax.Array]:
    """Candidates that the schedule lets go [N, slots], its next memory, and how many more it asked for."""
    num_nodes, num_slots = dst.shape
    shared = (3, 4) if uniform is None else (4,)
    wanted = per_node(schedule.decide, shared=shared)(memory, state.wakes, num_merged, uniform, num_slots)
    wanted = wanted if tick.active is None else jnp.where(tick.active, wanted, 0)
    is_sent = (jnp.arange(num_slots, dtype=jnp.int32) < wanted[:, None]) & (dst < num_nodes)
    settled = per_node(schedule.settle)(memory, jnp.sum(is_sent, axis=1, dtype=jnp.int32))
    excess = jnp.sum(jnp.maximum(wanted - num_slots, 0), dtype=jnp.int32)
    return is_sent, select(tick.active, settled, memory), excess
