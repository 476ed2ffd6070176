"""One tick of all nodes: events first, arithmetic after.

Axes: N nodes.
"""

from dataclasses import replace

import jax
import jax.numpy as jnp

from jdgnn.emulation.receiving import (
    active_nodes,
    empty_inboxes,
    enter_inboxes,
    open_inboxes,
    receive_embeddings,
    receive_models,
    receive_pushes,
)
from jdgnn.emulation.sending import send_embeddings, send_models, send_pushes
from jdgnn.emulation.spec import Spec
from jdgnn.emulation.state import State, TickInfo
from jdgnn.emulation.training import Scene, embed
from jdgnn.emulation.wake import Woken, wake
from jdgnn.network.topology import Topology
from jdgnn.protocol.accounts import Counts, add_words, book
from jdgnn.protocol.events import Events
from jdgnn.protocol.schedules import every


def apply_events(
    emulator: Spec, topology: Topology, features: jax.Array, state: State, events: Events
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
    state, models_received = receive_models(state, events)
    active = active_nodes(emulator, state, events)
    inbox, models_merged = open_inboxes(emulator, topology, state, events, active)
    state, woken = wake(emulator, Scene(topology, features, state, events, active), inbox)
    state = empty_inboxes(state, active, inbox)
    num_merged = jnp.zeros_like(state.age) if inbox is None else inbox.num_merged
    state, embeddings_sent = send_embeddings(emulator.traffic.publish.schedule, topology, state, events, active)
    push_schedule = emulator.push.schedule if emulator.push is not None else every()
    state, pushes_sent = send_pushes(push_schedule, state, events, active, num_merged)
    state, models_sent = send_models(emulator, state, events, active, num_merged)
    received = embeddings_received | pushes_received | models_received
    state = replace(
        state,
        tick=state.tick + 1,
        joined=events.joined,
        attendance=attended(state.attendance, events.joined, events.online),
        wakes=state.wakes + (1 if active is None else active.astype(jnp.int32)),
        accounts=book(state.accounts, _sum(received, models_merged, embeddings_sent, pushes_sent, models_sent)),
    )
    return state, _seen(woken, events, active, held_at)


def refresh_tick(emulator: Spec, topology: Topology, features: jax.Array, state: State, events: Events) -> State:
    """A tick in which nodes receive, compute and send embeddings, and neither merge nor train nor send models.

    Wakes, ages and token balances stand still, and so schedules have no say: every active node sends to all
    neighbours and to all it may push to. Models that arrive wait.
    """
    state, embeddings_received = receive_embeddings(topology, state, events)
    state, pushes_received = receive_pushes(emulator, state, events)
    state, models_received = receive_models(state, events)
    state, models_displaced = enter_inboxes(emulator, state)
    active = active_nodes(emulator, state, events)
    scene = Scene(topology, features, state, events, active)
    state = replace(state, embeddings=embed(emulator, scene, state.params, None))
    state, embeddings_sent = send_embeddings(None, topology, state, events, active)
    state, pushes_sent = send_pushes(every(), state, events, active, jnp.zeros_like(state.age))
    received = embeddings_received | pushes_received | models_received
    accounts = book(state.accounts, _sum(received, models_displaced, embeddings_sent, pushes_sent))
    return replace(state, tick=state.tick + 1, joined=events.joined, accounts=accounts)


def attended(attendance: jax.Array | None, joined: jax.Array | None, online: jax.Array | None) -> jax.Array | None:
    """Node-ticks joined and online [2, 2] after one more tick, in which nodes were there as the masks [N] say."""
    if attendance is None or joined is None or online is None:
        return attendance
    return add_words(attendance, jnp.stack([joined, online]).sum(axis=1, dtype=jnp.uint32))


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
        online=everybody if events.online is None else events.online,
        active=everybody if active is None else active,
        held_at=held_at,
    )
