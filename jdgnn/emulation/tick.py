"""One tick of all nodes: events first, arithmetic after. `jdgnn.reference` computes the same node by node.

Axes: N nodes.
"""

from dataclasses import replace

import chex
import jax
import jax.numpy as jnp

from jdgnn.emulation.context import Tick
from jdgnn.emulation.inbox import close_inboxes, hold_models, open_inboxes
from jdgnn.emulation.receive import active_nodes, receive
from jdgnn.emulation.send import send, send_all_embeddings
from jdgnn.emulation.spec import Spec
from jdgnn.emulation.state import State, TickInfo
from jdgnn.emulation.train import Learned, embed
from jdgnn.emulation.views import oldest_used
from jdgnn.emulation.wake import wake
from jdgnn.network.topology import Topology
from jdgnn.protocol.accounts import Counts, add_words, book, together
from jdgnn.protocol.events import Events


def apply_events(
    spec: Spec, topology: Topology, features: jax.Array, state: State, events: Events
) -> tuple[State, TickInfo]:
    """Lets all nodes act in one tick: receive, merge, train layer by layer, send. Nothing here is random.

    Args:
      spec: the parts.
      topology: the links.
      features: what each node measures [N, F0].
      state: all nodes at the end of the tick before.
      events: this tick's random decisions.

    Returns:
      All nodes at the end of this tick, and the values that metrics need.
    """
    dims = chex.Dimensions(N=topology.num_nodes)
    chex.assert_shape(features, (topology.num_nodes, None))
    chex.assert_tree_shape_prefix((events.positives, events.push_dst, events.model_dst), dims["N"])
    before, tick = state, Tick(spec, topology, features, events)
    state, arrival_counts = receive(tick, state)
    tick = tick._replace(active=active_nodes(tick, state))
    inbox, inbox_counts = open_inboxes(tick, state)
    state, learned = wake(tick, state, inbox)
    state = close_inboxes(tick, state, inbox)
    state, sending_counts = send(tick, state, inbox.num_merged)
    wakes = state.wakes + (1 if tick.active is None else tick.active.astype(jnp.int32))
    attendance = attended(state.attendance, events.joined, events.online)
    state = replace(state, wakes=wakes, attendance=attendance)
    return _finished(tick, state, arrival_counts, inbox_counts, sending_counts), _seen(tick, before, learned)


def refresh_tick(spec: Spec, topology: Topology, features: jax.Array, state: State, events: Events) -> State:
    """A tick in which nodes receive, compute and send embeddings, but do not merge, train or send models.

    Every active node sends to all neighbours and push recipients: schedules have no say, since wakes, ages and token
    balances stand still. Models that arrive wait.
    """
    tick = Tick(spec, topology, features, events)
    state, received = receive(tick, state)
    state, evicted = hold_models(tick, state)
    tick = tick._replace(active=active_nodes(tick, state))
    state = replace(state, embeddings=embed(tick, state, state.params, None))
    state, sent = send_all_embeddings(tick, state)
    return _finished(tick, state, received, evicted, sent)


def attended(attendance: jax.Array | None, joined: jax.Array | None, online: jax.Array | None) -> jax.Array | None:
    """Node-ticks joined and online [2, 2] after one more tick with these masks [N]."""
    if attendance is None or joined is None or online is None:
        return attendance
    return add_words(attendance, jnp.stack([joined, online]).sum(axis=1, dtype=jnp.uint32))


def _finished(tick: Tick, state: State, *counts: Counts) -> State:
    """The end of a tick, with the outcomes of its messages."""
    accounts = book(state.accounts, together(*counts))
    return replace(state, tick=state.tick + 1, joined=tick.events.joined, accounts=accounts)


def _seen(tick: Tick, before: State, learned: Learned) -> TickInfo:
    all_nodes = jnp.ones(before.num_nodes, bool)
    return TickInfo(
        loss=learned.loss,
        is_stepped=learned.is_stepped,
        aux=learned.aux,
        online=all_nodes if tick.events.online is None else tick.events.online,
        active=all_nodes if tick.active is None else tick.active,
        held_at=None if before.mailbox is not None else before.embedded_at,
        oldest=None if tick.spec.traffic.publish.expiry is None else jnp.int32(oldest_used(tick.spec, before.tick)),
    )
