"""What active nodes send in a tick: embeddings to neighbours, pushes, and models.

Axes: N nodes.
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from jdgnn.emulation import views
from jdgnn.emulation.per_node import per_node
from jdgnn.emulation.spec import Spec
from jdgnn.emulation.state import ModelFlight, State
from jdgnn.network.topology import Topology
from jdgnn.protocol import mailbox, model_pool, pushes
from jdgnn.protocol.accounts import Counts, add_words, sent_and_lost
from jdgnn.protocol.events import Events
from jdgnn.protocol.model_pool import Dispatch
from jdgnn.protocol.rows import select
from jdgnn.protocol.schedules import Schedule


def send_embeddings(
    schedule: Schedule | None, topology: Topology, state: State, events: Events, active: jax.Array | None
) -> tuple[State, Counts]:
    """Sends the new embeddings of active nodes to all graph neighbours, as scheduled; always, if None."""
    everybody = jnp.ones(state.num_nodes, bool)
    sending = everybody if active is None else active
    state = replace(state, embedded_at=jnp.where(sending, state.tick, state.embedded_at))
    state = views.remembered(state)
    if schedule is not None:
        sending = sending & (
            per_node(schedule.decide, shared=(0, 3, 4))((), state.wakes, jnp.zeros_like(state.wakes), None, 1) > 0
        )
    if state.mailbox is None:
        return state, {("embedding", "sent"): jnp.where(sending, topology.out_degree, 0)}
    held, counts = mailbox.send(
        state.mailbox, topology, state.tick, sending, events.embedding_lost, events.embedding_delay
    )
    return replace(state, mailbox=held), counts


def send_pushes(
    schedule: Schedule, state: State, events: Events, active: jax.Array | None, num_merged: jax.Array
) -> tuple[State, Counts]:
    """Pushes the new embeddings of active nodes to random nodes, as scheduled."""
    if state.pushes is None:
        return state, {}
    is_sent, memory, excess = _scheduled(
        schedule, state, state.push_schedule, active, num_merged, events.push_uniform, events.push_dst
    )
    flight, counts = pushes.send(
        state.pushes, state.tick, is_sent, events.push_dst, events.push_rank, events.push_lost, events.push_delay
    )
    num_excess = state.num_excess.at[0].set(add_words(state.num_excess[0], excess))
    return replace(state, pushes=flight, push_schedule=memory, num_excess=num_excess), counts


def send_models(
    emulator: Spec, state: State, events: Events, active: jax.Array | None, num_merged: jax.Array
) -> tuple[State, Counts]:
    """Sends the parameters of active nodes, as they are at the end of the wake, with their age."""
    gossip, models = emulator.gossip, state.models
    if gossip is None or models is None:
        return state, {}
    is_sent, memory, excess = _scheduled(
        gossip.schedule, state, state.model_schedule, active, num_merged, events.model_uniform, events.model_dst
    )
    num_excess = state.num_excess.at[1].set(add_words(state.num_excess[1], excess))
    state = replace(state, model_schedule=memory, num_excess=num_excess)
    if isinstance(models, ModelFlight):
        arrives = is_sent if events.model_lost is None else is_sent & ~events.model_lost
        flight = ModelFlight(dst=events.model_dst, rank=events.model_rank, is_sent=arrives)
        return replace(state, models=flight), sent_and_lost("model", is_sent, events.model_lost)
    dispatch = Dispatch(
        is_sent=is_sent,
        dst=events.model_dst,
        rank=events.model_rank,
        lost=events.model_lost,
        delay=events.model_delay,
    )
    pool, counts = model_pool.send(
        models, state.tick, dispatch, state.params, state.age, is_bounded=gossip.pool is not None
    )
    unplaced = jnp.sum(counts["model", "displaced"], dtype=jnp.int32)
    return replace(state, models=pool, num_unplaced=add_words(state.num_unplaced, unplaced)), counts


def _scheduled(
    schedule: Schedule,
    state: State,
    memory: Any,
    active: jax.Array | None,
    num_merged: jax.Array,
    uniform: jax.Array | None,
    dst: jax.Array,
) -> tuple[jax.Array, Any, jax.Array]:
    """Which candidates the schedule lets go [N, slots], what it remembers then, and how many it wanted beyond them."""
    num_nodes, num_slots = dst.shape
    shared = (3, 4) if uniform is None else (4,)
    wanted = per_node(schedule.decide, shared=shared)(memory, state.wakes, num_merged, uniform, num_slots)
    wanted = wanted if active is None else jnp.where(active, wanted, 0)
    is_sent = (jnp.arange(num_slots, dtype=jnp.int32) < wanted[:, None]) & (dst < num_nodes)
    settled = per_node(schedule.settle)(memory, jnp.sum(is_sent, axis=1, dtype=jnp.int32))
    excess = jnp.sum(jnp.maximum(wanted - num_slots, 0), dtype=jnp.int32)
    return is_sent, select(active, settled, memory), excess
