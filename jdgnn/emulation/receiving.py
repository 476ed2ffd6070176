"""What reaches nodes in a tick: embeddings, pushes and models; and who is awake then.

Axes: N nodes.
"""

from dataclasses import replace

import jax
import jax.numpy as jnp

from jdgnn.emulation import merging, storage, views
from jdgnn.emulation.merging import Inbox
from jdgnn.emulation.spec import Spec
from jdgnn.emulation.state import ModelFlight, State
from jdgnn.network.edges import sum_over_in_edges
from jdgnn.network.topology import Topology
from jdgnn.protocol import mailbox, model_pool, pushes
from jdgnn.protocol.accounts import Counts
from jdgnn.protocol.events import Events
from jdgnn.protocol.model_pool import ModelPool


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


def receive_pushes(emulator: Spec, state: State, events: Events) -> tuple[State, Counts]:
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


def receive_models(state: State, events: Events) -> tuple[State, Counts]:
    """Puts models that arrive into inboxes, where they can wait."""
    if not isinstance(state.models, ModelPool):
        return state, {}
    pool, counts = model_pool.receive(state.models, state.tick, events.online)
    return replace(state, models=pool), counts


def active_nodes(emulator: Spec, state: State, events: Events) -> jax.Array | None:
    """Who is awake in this tick [N]: online, and drawn to wake or, on receipt, reached by a model; None for all.

    A model that entered the inbox in an earlier tick, which was a refreshing one, wakes nobody any more.
    """
    wakes = events.wake
    if wakes is not None and emulator.traffic.availability.on_receipt and isinstance(state.models, ModelPool):
        pool = state.models
        entered = pool.tick_due.at[pool.inbox].get(mode="fill", fill_value=-1) == state.tick
        wakes = wakes | jnp.any(entered, axis=1)
    if wakes is None or events.online is None:
        return events.online if wakes is None else wakes
    return wakes & events.online


def enter_inboxes(emulator: Spec, state: State) -> tuple[State, Counts]:
    """Lets models wait that would have been merged in this tick; what finds no room in an inbox is displaced."""
    gossip, models = emulator.gossip, state.models
    if gossip is None or not isinstance(models, ModelFlight):
        return state, {}
    flight, dropped = merging.displaced_from_flight(gossip, models)
    return replace(state, models=flight), {("model", "displaced"): dropped}


def open_inboxes(
    emulator: Spec, topology: Topology, state: State, events: Events, active: jax.Array | None
) -> tuple[Inbox | None, Counts]:
    """What each active node merges, and what it refuses."""
    gossip, models = emulator.gossip, state.models
    counts: Counts = {}
    if gossip is None or models is None:
        return None, counts
    if isinstance(models, ModelPool):
        inbox = merging.inbox_of_pool(gossip, topology, models, active, events)
    else:
        inbox, counts["model", "displaced"] = merging.inbox_of_flight(gossip, topology, models, events)
    if emulator.param_dtype is not None:
        inbox = inbox.replace(seed=storage.seeds(events, storage.MERGING, state.num_nodes))  # type: ignore[attr-defined]
    counts["model", "delivered"] = inbox.num_merged
    counts["model", "refused"] = jnp.sum(inbox.is_refused, axis=1, dtype=jnp.int32)
    return inbox, counts


def empty_inboxes(state: State, active: jax.Array | None, inbox: Inbox | None) -> State:
    """Frees the places of what was merged, or refused and is not passed on."""
    if not isinstance(state.models, ModelPool) or inbox is None:
        return state
    return replace(state, models=model_pool.take_out(state.models, active, inbox.is_refused))
