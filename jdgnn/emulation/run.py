"""A run: ticks in a compiled loop, cut into chunks that do not change a bit."""

import functools
import time
import warnings
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from flax import struct

from jdgnn.checks import check_count
from jdgnn.emulation.emulator import Emulator, check_alive, features_of, shapes_of
from jdgnn.emulation.history import History, history, join
from jdgnn.emulation.metrics import Measurement, measure
from jdgnn.emulation.state import State
from jdgnn.emulation.tick import refresh_tick, tick
from jdgnn.errors import InputError
from jdgnn.network.convert import as_network
from jdgnn.network.topology import Topology, topology

SLOTS = 16
CHUNK_SECONDS = 0.5


@struct.dataclass(kw_only=True)
class Progress:
    """Where a run stands after a chunk."""

    tick: int  # ticks done by the state
    start_tick: int  # before the run
    end_tick: int  # after the run
    rows: list[dict[str, Any]]  # what was recorded in this chunk, as in `History.rows`
    ticks_per_second: float  # of this run so far, compilation not counted


def run(
    emulator: Emulator,
    state: State,
    network: Any,
    ticks: int,
    *,
    record_every: int = 10,
    on_progress: Callable[[Progress], None] | None = None,
) -> tuple[State, History]:
    """Runs a number of ticks.

    The state is consumed (its memory is used for the result): keep the one that is returned. The same state gives the
    same bits, however a run is cut into several and whatever is recorded; another number of ticks compiles nothing.

    Args:
      emulator: the parts.
      state: all nodes, from `emulator.init` or an earlier run.
      network: the network the state was made for.
      ticks: how many ticks to run.
      record_every: ticks whose number is a multiple of this are measured, and the last one.
      on_progress: called about twice a second; if it raises, the run ends there and its state is lost.

    Returns:
      The state after the last tick, and the history.

    Raises:
      InputError: the state was consumed before or does not fit the network, or a number makes no sense.

    Example:
      >>> import jax, jdgnn
      >>> network = jdgnn.network.generators.ring(6)
      >>> emulator = jdgnn.Emulator(layers=[jdgnn.gcn(8)], objective=jdgnn.info_nce(),
      ...     optimizer=jdgnn.adam(1e-2), push=jdgnn.push(), gossip=jdgnn.gossip())
      >>> state = emulator.init(jax.random.key(0), network)
      >>> state, history = jdgnn.run(emulator, state, network, ticks=20)
      >>> history.tick.tolist()
      [10, 20]
    """
    check_count("ticks", ticks)
    check_count("record_every", record_every)
    if on_progress is not None and not callable(on_progress):
        raise InputError(f"on_progress: got {on_progress!r}, and a function of a jdgnn.Progress, or None, is needed")
    links, features = _arrays(emulator, state, network)
    advance = functools.partial(_run_chunk, emulator, links, features)
    started = time.perf_counter()
    state = jax.block_until_ready(_advance(advance, state, [])[0])  # compiles, and runs no tick
    compiled = time.perf_counter()
    start = done = int(state.tick)
    end = start + ticks
    chunks, horizon = [], 1.0
    while done < end:
        slots = _plan(done, end, record_every, int(horizon))
        state, recorded = _advance(advance, state, slots)
        chunks.append(recorded)
        done = slots[-1][0]
        rate = (done - start) / (time.perf_counter() - compiled)
        horizon = max(1.0, rate * CHUNK_SECONDS)
        if on_progress is not None:
            on_progress(
                Progress(tick=done, start_tick=start, end_tick=end, rows=recorded.rows(), ticks_per_second=rate)
            )
    seconds = time.perf_counter() - compiled
    whole = join(chunks, seconds=seconds, compile_seconds=compiled - started)
    if (tick_diverged := whole.tick_diverged) is not None:
        warnings.warn(
            f"the run has diverged by tick {tick_diverged}: losses or parameters are not finite", stacklevel=2
        )
    return state, whole


def refresh(emulator: Emulator, state: State, network: Any, ticks: int) -> State:
    """Lets nodes exchange embeddings for some ticks without merging, training or sending models.

    After as many ticks as there are layers every embedding is what present parameters give. The messages count; wakes
    and ages stand still. The state is consumed, as by `run`.

    Args:
      emulator: the parts.
      state: all nodes.
      network: the network the state was made for.
      ticks: how many ticks to run.

    Returns:
      The state after the last tick.

    Raises:
      InputError: the state was consumed before or does not fit the network, or `ticks` makes no sense.
    """
    check_count("ticks", ticks)
    links, features = _arrays(emulator, state, network)
    return _refresh_chunk(emulator, links, features, state, jnp.int32(ticks))


def copy(state: State) -> State:
    """A copy of a state, for when a run must not consume it.

    Raises:
      InputError: it was consumed already.
    """
    check_alive(state)
    return jax.tree.map(jnp.copy, state)


def _plan(done: int, end: int, record_every: int, horizon: int) -> list[tuple[int, bool]]:
    """Up to SLOTS pairs (run until this tick, record it) that reach at most `horizon` ticks far, or one tick."""
    limit = min(end, done + max(1, horizon))
    slots: list[tuple[int, bool]] = []
    while done < limit and len(slots) < SLOTS:
        done = min(limit, (done // record_every + 1) * record_every)
        slots.append((done, done % record_every == 0 or done == end))
    return slots


def _advance(
    advance: Callable[..., tuple[State, Measurement]], state: State, slots: list[tuple[int, bool]]
) -> tuple[State, History]:
    """Runs one chunk; unused slots run no tick and record nothing."""
    filled = slots + [(0, False)] * (SLOTS - len(slots))
    until, is_recorded = zip(*filled, strict=True)
    state, measured = advance(state, jnp.array(until, jnp.int32), jnp.array(is_recorded))
    return state, history(measured, is_recorded, state)


@functools.partial(jax.jit, donate_argnames="state")
def _run_chunk(
    emulator: Emulator,
    links: Topology,
    features: jax.Array,
    state: State,
    until: jax.Array,
    is_recorded: jax.Array,
) -> tuple[State, Measurement]:
    """Runs to each of `until` [SLOTS] in turn, and measures there if `is_recorded` [SLOTS]."""
    no_info = _zeros(jax.eval_shape(tick, emulator, links, features, state)[1])
    empty = _zeros(jax.eval_shape(measure, state, no_info))

    def slot(state: State, planned: tuple[jax.Array, jax.Array]) -> tuple[State, Measurement]:
        until, is_recorded = planned
        state, info = jax.lax.while_loop(
            lambda carry: carry[0].tick < until,
            lambda carry: tick(emulator, links, features, carry[0]),
            (state, no_info),
        )
        return state, jax.lax.cond(is_recorded, measure, lambda *_: empty, state, info)

    return jax.lax.scan(slot, state, (until, is_recorded))


def _zeros(shapes: Any) -> Any:
    return jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes)


@functools.partial(jax.jit, donate_argnames="state")
def _refresh_chunk(emulator: Emulator, links: Topology, features: jax.Array, state: State, ticks: jax.Array) -> State:
    return jax.lax.fori_loop(0, ticks, lambda _, state: refresh_tick(emulator, links, features, state), state)


def _arrays(emulator: Emulator, state: State, network: Any) -> tuple[Topology, jax.Array]:
    """Puts the network on the accelerator, once it is sure that it fits the state."""
    if not isinstance(emulator, Emulator):
        raise InputError(f"emulator: got {type(emulator).__name__}, and a jdgnn.Emulator is needed")
    check_alive(state)
    network = as_network(network)
    features = features_of(network)
    _check_fit(emulator, state, features)
    return topology(network), features


def _check_fit(emulator: Emulator, state: State, features: jax.Array) -> None:
    if state.num_nodes != len(features):
        raise InputError(
            f"network: it has {len(features)} nodes and the state {state.num_nodes}; "
            "give the network that the state was made for"
        )
    expected = shapes_of(emulator, state.key, features)
    if _shapes(expected) != _shapes(state):
        raise InputError("state: its arrays are not those of this emulator and network; make it by emulator.init")


def _shapes(state: State) -> tuple[Any, list[Any]]:
    leaves, structure = jax.tree.flatten(state)
    return structure, [(leaf.shape, leaf.dtype) for leaf in leaves]
