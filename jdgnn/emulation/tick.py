"""One tick of all nodes: events first, arithmetic after.

Axes: N nodes, L layers, M models in an inbox.
"""

from dataclasses import replace

import jax
import jax.numpy as jnp

from jdgnn.emulation.emulator import Emulator
from jdgnn.emulation.merging import merge_inbox, merge_pairs
from jdgnn.emulation.state import State, TickInfo
from jdgnn.emulation.training import publish, train
from jdgnn.network.topology import Topology
from jdgnn.protocol import events as protocol_events
from jdgnn.protocol.accounts import Accounts, book
from jdgnn.protocol.events import Events
from jdgnn.protocol.messages import Arrivals, arrivals
from jdgnn.protocol.sample_buffer import store
from jdgnn.protocol.traffic import Gossip, Push, is_sending


def tick(emulator: Emulator, topology: Topology, features: jax.Array, state: State) -> tuple[State, TickInfo]:
    """Draws the events of the next tick and applies them."""
    events = sample_events(emulator, topology, state.key, state.tick)
    return apply_events(emulator, topology, features, state, events)


def sample_events(emulator: Emulator, topology: Topology, key: jax.Array, tick: jax.Array) -> Events:
    """Draws every random decision of one tick; the same key and tick give the same events."""
    return protocol_events.sample_events(
        jax.random.fold_in(key, tick),
        topology,
        emulator.push,
        emulator.gossip,
        emulator.num_positives,
        len(emulator.layers),
    )


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
    state = receive_embeddings(emulator, topology, state)
    state = receive_models(emulator, state)
    state, info = train(emulator, topology, features, state, events)
    state = send_embeddings(emulator, topology, state, events)
    state = send_models(emulator, state, events)
    return replace(state, tick=state.tick + 1, wakes=state.wakes + 1), info


def refresh_tick(emulator: Emulator, topology: Topology, features: jax.Array, state: State) -> State:
    """A tick in which nodes receive, compute and send embeddings, and neither merge nor train nor send models.

    Wakes and ages stand still; models on their way wait.
    """
    events = sample_events(emulator, topology, state.key, state.tick)
    state = receive_embeddings(emulator, topology, state)
    state = publish(emulator, topology, features, state)
    state = send_embeddings(emulator, topology, state, events)
    return replace(state, tick=state.tick + 1)


def receive_embeddings(emulator: Emulator, topology: Topology, state: State) -> State:
    """Takes in what was sent in the tick before.

    Pushes go to sample buffers. Embeddings of neighbours stay where their senders hold them: with nothing lost or
    late, what a sender holds is what its receivers' mailboxes would.
    """
    accounts = book(state.accounts, "embedding", "delivered", _num_embedding_messages(topology, state))
    if emulator.push is None:
        return replace(state, accounts=accounts)
    pushes = arrivals(state.in_flight.push_dst, state.in_flight.push_rank)
    return replace(
        state,
        samples=store(state.samples, pushes, state.embeddings),
        accounts=_book_arrivals(accounts, "push", pushes, emulator.push.capacity),
    )


def receive_models(emulator: Emulator, state: State) -> State:
    """Merges the models that were sent in the tick before."""
    if emulator.gossip is None:
        return state
    dst = state.in_flight.model_dst
    models = arrivals(dst, state.in_flight.model_rank)
    if emulator.gossip.peers.pairs is None:
        params, age = merge_inbox(emulator.gossip, models, state.params, state.age)
    else:
        params, age = merge_pairs(emulator.gossip, dst[:, 0], state.params, state.age)
    accounts = _book_arrivals(state.accounts, "model", models, emulator.gossip.capacity)
    return replace(state, params=params, age=age, accounts=accounts)


def send_embeddings(emulator: Emulator, topology: Topology, state: State, events: Events) -> State:
    """Sends the new embeddings to all graph neighbours, and pushes them to random nodes."""
    state = replace(state, is_published=jnp.ones_like(state.is_published))
    accounts = book(state.accounts, "embedding", "sent", _num_embedding_messages(topology, state))
    dst = _sent(emulator.push, state, events.push_dst)
    return replace(
        state,
        in_flight=replace(state.in_flight, push_dst=dst, push_rank=events.push_rank),
        accounts=_book_sent(accounts, "push", dst),
    )


def send_models(emulator: Emulator, state: State, events: Events) -> State:
    """Sends each node's parameters, as they are after its step, with their age."""
    dst = _sent(emulator.gossip, state, events.model_dst)
    return replace(
        state,
        in_flight=replace(state.in_flight, model_dst=dst, model_rank=events.model_rank),
        accounts=_book_sent(state.accounts, "model", dst),
    )


def _sent(setting: Push | Gossip | None, state: State, candidates: jax.Array) -> jax.Array:
    """Receivers of what the schedule lets go [N, slots], N where it does not."""
    if setting is None:
        return candidates
    return jnp.where(is_sending(setting, state.wakes)[:, None], candidates, state.num_nodes)


def _num_embedding_messages(topology: Topology, state: State) -> jax.Array:
    return jnp.sum(state.is_published[topology.senders], dtype=jnp.int32)


def _book_sent(accounts: Accounts, kind: str, dst: jax.Array) -> Accounts:
    return book(accounts, kind, "sent", jnp.sum(dst < dst.shape[0], dtype=jnp.int32))


def _book_arrivals(accounts: Accounts, kind: str, messages: Arrivals, capacity: int) -> Accounts:
    num_displaced = messages.num_displaced(capacity)
    accounts = book(accounts, kind, "displaced", num_displaced)
    return book(accounts, kind, "delivered", jnp.sum(messages.num_received, dtype=jnp.int32) - num_displaced)
