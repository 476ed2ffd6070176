"""The compiled programs of a run: one draws the events of some ticks, the other applies them.

They are separate so that drawn, recorded and replayed events go through the same arithmetic, with the same bits.
Axes: T ticks that a chunk has room for.
"""

from dataclasses import replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from jdgnn.backend import bfloat16
from jdgnn.backend.backend import Backend
from jdgnn.backend.rows import once
from jdgnn.emulation.in_place import defer_steps, settle
from jdgnn.emulation.metrics import Measurement, measure
from jdgnn.emulation.spec import Spec
from jdgnn.emulation.start import sample_events
from jdgnn.emulation.state import State
from jdgnn.emulation.tick import apply_events, refresh_tick
from jdgnn.network.topology import Topology
from jdgnn.protocol.events import Events


@partial(jax.jit, static_argnames=("num_bytes", "length"))
def draw(
    emulator: Spec,
    links: Topology,
    key: jax.Array,
    tick: jax.Array,
    memory: tuple[Any, ...],
    count: jax.Array,
    *,
    num_bytes: tuple[int, int, int],
    length: int,
) -> tuple[tuple[Any, ...], Events]:
    """Draws the events of `count` ticks, starting with `tick`, into a record of T = `length` ticks."""

    def one(index: jax.Array, carry: tuple[Any, Events]) -> tuple[Any, Events]:
        memory, events = carry
        memory, drawn = sample_events(emulator, links, num_bytes, key, tick + index, memory)
        return memory, jax.tree.map(lambda all_, new: all_.at[index].set(new), events, drawn)

    shapes = jax.eval_shape(lambda *drawn: sample_events(emulator, links, num_bytes, *drawn)[1], key, tick, memory)
    empty = jax.tree.map(lambda leaf: jnp.zeros((length, *leaf.shape), leaf.dtype), shapes)
    return jax.lax.fori_loop(0, count, one, (memory, empty))


@partial(jax.jit, static_argnames="num_bytes")
def remember(
    emulator: Spec,
    links: Topology,
    key: jax.Array,
    tick: jax.Array,
    memory: tuple[Any, ...],
    count: jax.Array,
    *,
    num_bytes: tuple[int, int, int],
) -> tuple[Any, ...]:
    """The memory of clocks, presence and links after `count` ticks; XLA drops the other draws, as nothing uses them."""

    def one(index: jax.Array, memory: tuple[Any, ...]) -> tuple[Any, ...]:
        return sample_events(emulator, links, num_bytes, key, tick + index, memory)[0]

    return jax.lax.fori_loop(0, count, one, memory)


@partial(jax.jit, donate_argnames="state", static_argnames="unrolled")
def advance(
    emulator: Spec,
    links: Topology,
    features: jax.Array,
    state: State,
    events: Events,
    count: jax.Array,
    is_recorded: jax.Array,
    *,
    unrolled: int = 1,
) -> tuple[State, Measurement]:
    """Applies `count` of the T ticks of events, and measures after those that are recorded [T].

    A round of the loop has `unrolled` ticks, and `count` is a multiple of it.
    """
    backend = links.backend
    state = defer_steps(emulator, backend, bfloat16.packed(state), features)
    shape = jax.eval_shape(
        lambda *a: measure(links, *apply_events(emulator, links, *a)), features, state, _at(events, 0)
    )
    empty = jax.tree.map(lambda leaf: jnp.zeros((*is_recorded.shape, *leaf.shape), leaf.dtype), shape)

    def one(index: jax.Array, carry: tuple[State, Measurement]) -> tuple[State, Measurement]:
        state, measured = carry
        state, info = apply_events(emulator, links, features, _apart(backend, state), _at(events, index))
        if state.pending is not None:
            state = once(is_recorded[index], partial(settle, backend), state, usually=False)
        measured = jax.lax.cond(
            is_recorded[index],
            lambda: jax.tree.map(lambda all_, new: all_.at[index].set(new), measured, measure(links, state, info)),
            lambda: measured,
        )
        return state, measured

    def several(number: jax.Array, carry: tuple[State, Measurement]) -> tuple[State, Measurement]:
        for offset in range(unrolled):
            carry = one(unrolled * number + offset, carry)
        return carry

    state, measured = jax.lax.fori_loop(0, count // unrolled, several, (state, empty))
    return bfloat16.unpacked(replace(settle(backend, state), pending=None)), measured


def _apart(backend: Backend, state: State) -> State:
    """The same state, of which nothing small is written before the tick before has read it.

    Else a compiler that sees two ticks at once would copy sample buffers, to be free to do the second tick's part
    first. Parameters go from one buffer to another anyway.
    """
    if backend.blocks:
        return state
    held = {"params": state.params, "opt_state": state.opt_state}
    return replace(jax.lax.optimization_barrier(replace(state, params=(), opt_state=())), **held)


@partial(jax.jit, donate_argnames="state")
def refresh(
    emulator: Spec, links: Topology, features: jax.Array, state: State, events: Events, count: jax.Array
) -> State:
    """Applies `count` of the T ticks of events as refreshing ticks."""
    state = jax.lax.fori_loop(
        0,
        count,
        lambda index, state: refresh_tick(emulator, links, features, state, _at(events, index)),
        bfloat16.packed(state),
    )
    return bfloat16.unpacked(state)


def _at(events: Events, index: Any) -> Events:
    return jax.tree.map(lambda leaf: leaf[index], events)
