"""One tick of all nodes: events first, arithmetic after.

Axes: N nodes, S pushes per node, R models per node.
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from jdgnn.emulation import merging, views
from jdgnn.emulation.emulator import Emulator
from jdgnn.emulation.merging import Inbox, has_pairs
from jdgnn.emulation.per_node import per_node
from jdgnn.emulation.state import ModelFlight, State, TickInfo
from jdgnn.emulation.training import Scene, embed
from jdgnn.emulation.wake import Woken, wake
from jdgnn.network.edges import sum_over_in_edges
from jdgnn.network.topology import Topology
from jdgnn.protocol import mailbox, model_pool, pushes
from jdgnn.protocol.accounts import Counts, add_words, book
from jdgnn.protocol.events import Events
from jdgnn.protocol.model_pool import Dispatch, ModelPool
from jdgnn.protocol.rows import select
from jdgnn.protocol.schedules import Schedule


def apply_events(
    emulator: Emulator, topology: Topology, features: jax.Array, state: State, events: Events
) -> tuple[State, TickInfo]:
    """What all nodes do in one tick: receive, merge, train layer by layer, send. Nothing here is random.

    Args:
      emulator: the parts.
      topology: the links.
      features: what each node measures of itself [N, F0].
      state: all nodes at the end of the tick before.
      events: this tick's random decisions.

    Returns:
      All nodes at the end of this tick, and what can be seen of it.
    """
    held_at = None if state.mailbox is not None else state.embedded_at
    state, embeddings_received = receive_embeddings(topology, state, events)
    state, pushes_received = receive_pushes(emulator, state, events)
    state, entered, models_received = receive_models(state, events)
    active = active_nodes(emulator, events, entered)
    inbox, models_merged = open_inboxes(emulator, topology, state, events, active)
    state, woken = wake(emulator, Scene(topology, features, state, events, active), inbox)
    state = empty_inboxes(state, active, inbox)
    num_merged = jnp.zeros_like(state.age) if inbox is None else inbox.num_merged
    state, embeddings_sent = send_embeddings(emulator, topology, state, events, active)
    state, pushes_sent = send_pushes(emulator, state, events, active, num_merged)
    state, models_sent = send_models(emulator, state, events, active, num_merged)
    received = embeddings_received | pushes_received | models_received
    state = replace(
        state,
        tick=state.tick + 1,
        wakes=state.wakes + (1 if active is None else active.astype(jnp.int32)),
        accounts=book(state.accounts, _sum(received, models_merged, embeddings_sent, pushes_sent, models_sent)),
    )
    return state, _seen(woken, events, active, held_at)


def refresh_tick(emulator: Emulator, topology: Topology, features: jax.Array, state: State, events: Events) -> State:
    """A tick in which nodes receive, compute and send embeddings, and neither merge nor train nor send models.

    Wakes, ages and token balances stand still; models that arrive wait.
    """
    state, embeddings_received = receive_embeddings(topology, state, events)
    state, pushes_received = receive_pushes(emulator, state, events)
    state, entered, models_received = receive_models(state, events)
    if isinstance(state.models, ModelFlight) and emulator.gossip is not None and not has_pairs(emulator.gossip, state):
        flight, models_received["model", "displaced"] = merging.displaced_from_flight(emulator.gossip, state.models)
        state = replace(state, models=flight)
    active = active_nodes(emulator, events, entered)
    scene = Scene(topology, features, state, events, active)
    state = replace(state, embeddings=embed(emulator, scene, state.params, None))
    state, embeddings_sent = send_embeddings(emulator, topology, state, events, active)
    memory, num_excess = state.push_schedule, state.num_excess
    state, pushes_sent = send_pushes(emulator, state, events, active, jnp.zeros_like(state.age))
    received = embeddings_received | pushes_received | models_received
    accounts = book(state.accounts, _sum(received, embeddings_sent, pushes_sent))
    return replace(state, tick=state.tick + 1, accounts=accounts, push_schedule=memory, num_excess=num_excess)


def active_nodes(emulator: Emulator, events: Events, entered: jax.Array | None) -> jax.Array | None:
    """Who is awake in this tick [N]: online, and drawn to wake or reached by a model; None for all."""
    wakes = events.wake
    if wakes is not None and emulator.traffic.availability.on_receipt and entered is not None:
        wakes = wakes | (entered > 0)
    if wakes is None or events.online is None:
        return events.online if wakes is None else wakes
    return wakes & events.online


def receive_embeddings(topology: Topology, state: State, events: Events) -> tuple[State, Counts]:
    """Stores what arrives from neighbours in the mailboxes.

    Without mailboxes embeddings stay where their senders hold them: what a sender holds is what has arrived.
    """
    if state.mailbox is None:
        is_new = (state.tick > 0) & (state.embedded_at[topology.senders] == state.tick - 1)
        return state, {("embedding", "delivered"): sum_over_in_edges(is_new.astype(jnp.int32), topology)}
    held, counts = mailbox.receive(
        state.mailbox,
        topology,
        state.tick,
        events.online,
        lambda sent_at: views.sent_embeddings(state, topology.senders, sent_at),
    )
    return replace(state, mailbox=held), counts


def receive_pushes(emulator: Emulator, state: State, events: Events) -> tuple[State, Counts]:
    """Stores pushes that arrive in the sample buffers."""
    if state.pushes is None or state.samples is None:
        return state, {}
    samples, counts = pushes.receive(
        state.pushes,
        state.tick,
        events.online,
        state.samples,
        lambda src, delay: views.sent_embeddings(state, src, state.tick - 1 - delay),
        emulator.awake_share,
    )
    return replace(state, samples=samples), counts


def receive_models(state: State, events: Events) -> tuple[State, jax.Array | None, Counts]:
    """Puts models that arrive into inboxes, where they can wait; also gives how many entered each [N]."""
    if not isinstance(state.models, ModelPool):
        return state, None, {}
    pool, entered, counts = model_pool.receive(state.models, state.tick, events.online)
    return replace(state, models=pool), entered, counts


def open_inboxes(
    emulator: Emulator, topology: Topology, state: State, events: Events, active: jax.Array | None
) -> tuple[Inbox | None, Counts]:
    """What each active node merges, and what it refuses."""
    gossip, models = emulator.gossip, state.models
    counts: Counts = {}
    if gossip is None or models is None:
        return None, counts
    if isinstance(models, ModelPool):
        inbox = merging.inbox_of_pool(gossip, topology, models, active, events)
    elif has_pairs(gossip, state):
        inbox = merging.inbox_of_pairs(gossip, topology, models, events)
    else:
        inbox, counts["model", "displaced"] = merging.inbox_of_flight(gossip, topology, models, events)
    counts["model", "delivered"] = inbox.num_merged
    counts["model", "refused"] = jnp.sum(inbox.is_refused, axis=1, dtype=jnp.int32)
    return inbox, counts


def empty_inboxes(state: State, active: jax.Array | None, inbox: Inbox | None) -> State:
    """Frees the places of what was merged, or refused and is not passed on."""
    if not isinstance(state.models, ModelPool) or inbox is None:
        return state
    return replace(state, models=model_pool.take_out(state.models, active, inbox.is_refused))


def send_embeddings(
    emulator: Emulator, topology: Topology, state: State, events: Events, active: jax.Array | None
) -> tuple[State, Counts]:
    """Sends the new embeddings of active nodes to all graph neighbours."""
    everybody = jnp.ones(state.num_nodes, bool)
    sending = everybody if active is None else active
    state = replace(state, embedded_at=jnp.where(sending, state.tick, state.embedded_at))
    state = views.remembered(state)
    schedule = emulator.traffic.publish.schedule
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
    emulator: Emulator, state: State, events: Events, active: jax.Array | None, num_merged: jax.Array
) -> tuple[State, Counts]:
    """Pushes the new embeddings of active nodes to random nodes."""
    if emulator.push is None or state.pushes is None:
        return state, {}
    is_sent, memory, excess = _scheduled(
        emulator.push.schedule, state, state.push_schedule, active, num_merged, events.push_uniform, events.push_dst
    )
    flight, counts = pushes.send(
        state.pushes, state.tick, is_sent, events.push_dst, events.push_rank, events.push_lost, events.push_delay
    )
    num_excess = state.num_excess.at[0].set(add_words(state.num_excess[0], excess))
    return replace(state, pushes=flight, push_schedule=memory, num_excess=num_excess), counts


def send_models(
    emulator: Emulator, state: State, events: Events, active: jax.Array | None, num_merged: jax.Array
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
        counts = {("model", "sent"): jnp.sum(is_sent, axis=1, dtype=jnp.int32)}
        if events.model_lost is not None:
            counts["model", "lost"] = jnp.sum(is_sent & events.model_lost, axis=1, dtype=jnp.int32)
        return replace(state, models=flight), counts
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
    return replace(state, models=pool), counts


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


def _sum(*counts: Counts) -> Counts:
    """Counts of several stages together."""
    total: Counts = {}
    for stage in counts:
        for key, count in stage.items():
            total[key] = total[key] + count if key in total else count
    return total


def _seen(woken: Woken, events: Events, active: jax.Array | None, held_at: jax.Array | None) -> TickInfo:
    everybody = jnp.ones(woken.age.shape, bool)
    return TickInfo(
        loss=woken.loss,
        is_stepped=woken.is_stepped,
        aux=woken.aux,
        joined=everybody if events.joined is None else events.joined,
        online=everybody if events.online is None else events.online,
        active=everybody if active is None else active,
        held_at=held_at,
    )
